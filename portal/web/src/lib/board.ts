// A board of charts in an address: one entry a chart, its parts joined by `|`.

import type { MetricInfo } from '../api/types';

export const AGGREGATIONS = ['avg', 'sum', 'min', 'max', 'count', 'unique', 'rate', 'delta', 'p50', 'p95', 'p99'] as const;
export type Aggregation = (typeof AGGREGATIONS)[number];
export const KINDS = ['line', 'bar', 'area', 'heatmap', 'table'] as const;
export type ChartKind = (typeof KINDS)[number];

export interface Card {
  namespace: string;
  name: string;
  show: Aggregation | '';
  split: string[];
  top: number;
  kind: ChartKind;
  filters: string[];
}

const encode = (text: string) => text.replaceAll('%', '%25').replaceAll('|', '%7C').replaceAll(';', '%3B').replaceAll(',', '%2C');
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function formatCard(card: Card): string {
  return [encode(card.namespace), encode(card.name), card.show, card.split.map(encode).join(','), card.top === 5 ? '' : card.top, card.kind === 'line' ? '' : card.kind, card.filters.map(encode).join(',')].join('|').replace(/\|+$/, '');
}

export function parseCard(text: string): Card | undefined {
  const [namespace = '', name = '', show = '', split = '', top = '', kind = '', filters = ''] = text.split('|');
  if (name === '') return undefined;
  return {
    namespace: decode(namespace),
    name: decode(name),
    show: AGGREGATIONS.find((one) => one === show) ?? '',
    split: split === '' ? [] : split.split(',').map(decode),
    top: /^[1-9]\d?$/.test(top) ? Number(top) : 5,
    kind: KINDS.find((one) => one === kind) ?? 'line',
    filters: filters === '' ? [] : filters.split(',').map(decode),
  };
}

export function formatBoard(cards: Card[]): string {
  return cards.map(formatCard).join(';');
}

export function parseBoard(text: string): Card[] {
  return text.split(';').map(parseCard).filter((card) => card !== undefined);
}

/** A board as a file: its name, and its charts with names for all that they have. */
export function boardFile(name: string, cards: Card[]): string {
  return `${JSON.stringify({ board: name, charts: cards }, null, 2)}\n`;
}

/** The charts of such a file; undefined if it is none. */
export function readBoardFile(content: string): { name: string; cards: Card[] } | undefined {
  try {
    const { board, charts } = JSON.parse(content) as { board?: unknown; charts?: unknown };
    if (!Array.isArray(charts)) return undefined;
    const texts = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);
    // Charts that an address cannot hold are left out.
    const cards = (charts as Partial<Record<keyof Card, unknown>>[]).flatMap((chart) => parseCard(formatCard({
      namespace: String(chart.namespace ?? ''),
      name: String(chart.name ?? ''),
      show: String(chart.show ?? '') as Card['show'],
      split: texts(chart.split),
      top: Number(chart.top ?? 5),
      kind: String(chart.kind ?? 'line') as ChartKind,
      filters: texts(chart.filters),
    })) ?? []);
    return cards.length > 0 ? { name: typeof board === 'string' ? board : '', cards } : undefined;
  } catch {
    return undefined;
  }
}

/** The default aggregation of a metric: the first that its instrument allows. */
export function defaultShow(info: Pick<MetricInfo, 'aggregations' | 'unit'>): Aggregation {
  const wanted: Aggregation[] = info.unit === 'ms' ? ['p95', 'avg'] : info.unit === '' || info.unit === '1/s' ? ['rate', 'sum', 'avg'] : ['avg', 'sum'];
  return wanted.find((one) => info.aggregations.includes(one)) ?? info.aggregations[0] ?? 'avg';
}
