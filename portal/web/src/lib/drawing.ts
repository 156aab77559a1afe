// What `render` draws of an answer.

import { type Answer, type Cell, isNumber } from './answer';
import { seriesColor } from './kinds';
import { parseTime } from './moment';
import type { Buckets, Line } from './series';

export interface Bar {
  label: string;
  values: number[];
}

export type Drawing =
  | { kind: 'time'; lines: Line[]; buckets: Buckets; stacked: boolean }
  | { kind: 'bars'; names: string[]; bars: Bar[]; upright: boolean; stacked: boolean; left: number }
  | { kind: 'pie'; slices: { label: string; value: number }[]; total: number }
  | { kind: 'stat'; numbers: { label: string; value: number }[] }
  | { kind: 'table' }
  /** Why it is not drawn. */
  | { kind: 'none'; why: string };

export const VISUALIZATIONS = ['table', 'timechart', 'linechart', 'areachart', 'columnchart', 'barchart', 'piechart', 'card', 'stat'] as const;
/** Beyond them, the smallest are left out of a chart. */
const MOST_SERIES = 12;
const MOST_BARS = 40;
const MOST_SLICES = 8;
/** Moments that an axis can have. */
const MOST_BUCKETS = 2000;

const toNumber = (cell: Cell | undefined) => (cell === null || cell === undefined || cell === '' ? null : Number.isFinite(Number(cell)) ? Number(cell) : null);

/** What is drawn; a chart that fits nothing says why. */
export function drawingOf(answer: Answer, visualization = answer.render.visualization ?? 'table'): Drawing {
  const { columns, rows } = answer;
  if (visualization === 'table' || rows.length === 0) return { kind: 'table' };
  const numbers = columns.flatMap((column, i) => (isNumber(column) ? [i] : []));
  const named = typeof answer.render['xcolumn'] === 'string' ? columns.findIndex((column) => column.name === answer.render['xcolumn']) : -1;
  if (visualization === 'card' || visualization === 'stat') {
    const list = numbers.map((i) => ({ label: columns[i]!.name, value: toNumber(rows[0]?.[i]) })).filter((one): one is { label: string; value: number } => one.value !== null);
    return list.length === 0 ? { kind: 'none', why: 'a card needs a number in its first row' } : { kind: 'stat', numbers: list };
  }
  const expanded = visualization === 'piechart' ? undefined : seriesOf(answer);
  if (expanded) return timeDrawing(expanded, visualization);
  const time = named >= 0 ? (columns[named]?.type === 'datetime' ? named : -1) : columns.findIndex((column) => column.type === 'datetime');
  const ys = numbers.filter((i) => i !== named);
  if (ys.length === 0) return { kind: 'none', why: `${visualization} needs a column of numbers` };
  if (time >= 0 && visualization !== 'piechart' && visualization !== 'barchart') {
    const splits = columns.flatMap((column, i) => (i !== time && !isNumber(column) && column.type !== 'datetime' ? [i] : []));
    const points = new Map<string, [number, number | null][]>();
    for (const row of rows) {
      const at = parseTime(String(row[time] ?? ''));
      if (Number.isNaN(at)) continue;
      const split = splits.map((i) => String(row[i] ?? '')).join(', ');
      for (const y of ys) {
        const name = splits.length === 0 ? columns[y]!.name : ys.length === 1 ? split || '(empty)' : `${split}: ${columns[y]!.name}`;
        const list = points.get(name) ?? [];
        list.push([at, toNumber(row[y])]);
        points.set(name, list);
      }
    }
    return timeDrawing(points, visualization);
  }
  if (visualization === 'timechart') return { kind: 'none', why: 'timechart needs a column of type datetime' };
  const x = named >= 0 ? named : columns.findIndex((column, i) => !isNumber(column) || (i === 0 && numbers.length > 1));
  const values = x < 0 ? ys : ys.filter((i) => i !== x);
  const label = (row: Cell[], r: number) => (x < 0 ? String(r + 1) : String(row[x] ?? '') || '(empty)');
  if (values.length === 0) return { kind: 'none', why: `${visualization} needs a column of numbers beside its labels` };
  if (visualization === 'piechart') {
    const slices = rows.map((row, r) => ({ label: label(row, r), value: Math.max(0, toNumber(row[values[0]!]) ?? 0) })).sort((a, b) => b.value - a.value);
    const total = slices.reduce((sum, one) => sum + one.value, 0);
    const few = slices.slice(0, MOST_SLICES);
    const rest = slices.slice(MOST_SLICES).reduce((sum, one) => sum + one.value, 0);
    return total === 0 ? { kind: 'none', why: 'piechart has nothing above 0' } : { kind: 'pie', total, slices: rest > 0 ? [...few, { label: `${slices.length - MOST_SLICES} others`, value: rest }] : few };
  }
  const bars = rows.slice(0, MOST_BARS).map((row, r) => ({ label: label(row, r), values: values.map((i) => toNumber(row[i]) ?? 0) }));
  return { kind: 'bars', names: values.map((i) => columns[i]!.name), bars, upright: visualization !== 'barchart', stacked: answer.render['kind'] === 'stacked', left: rows.length - bars.length };
}

/** The answer of `make-series`: each row is a series, its arrays are texts of JSON. */
function seriesOf({ columns, rows }: Answer): Map<string, [number, number | null][]> | undefined {
  const dynamics = columns.flatMap((column, i) => (column.type === 'dynamic' ? [i] : []));
  const arrays = (row: Cell[]) => dynamics.map((i) => parsed(row[i]));
  const first = rows[0] ? arrays(rows[0]) : [];
  const time = first.findIndex((list) => list !== undefined && list.length > 0 && list.every((one) => typeof one === 'string' && !Number.isNaN(parseTime(one))));
  const ys = first.flatMap((list, i) => (i !== time && list !== undefined && list.length === first[time]?.length && list.every((one) => one === null || typeof one === 'number') ? [i] : []));
  if (time < 0 || ys.length === 0) return undefined;
  const splits = columns.flatMap((column, i) => (dynamics.includes(i) || isNumber(column) ? [] : [i]));
  const result = new Map<string, [number, number | null][]>();
  for (const row of rows) {
    const lists = arrays(row);
    const split = splits.map((i) => String(row[i] ?? '')).join(', ');
    for (const y of ys) {
      const column = columns[dynamics[y]!]!.name;
      const name = splits.length === 0 ? column : ys.length === 1 ? split || '(empty)' : `${split}: ${column}`;
      result.set(name, (lists[time] ?? []).map((at, i) => [parseTime(String(at)), toNumber(lists[y]?.[i] as Cell)]));
    }
  }
  return result;
}

function parsed(cell: Cell | undefined): unknown[] | undefined {
  if (typeof cell !== 'string' || !cell.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(cell);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function timeDrawing(points: Map<string, [number, number | null][]>, visualization: string): Drawing {
  const moments = [...new Set([...points.values()].flatMap((list) => list.map(([at]) => at)))].filter((at) => !Number.isNaN(at)).sort((a, b) => a - b);
  if (moments.length === 0) return { kind: 'none', why: 'no row has a time' };
  const [start, end] = [moments[0]!, moments.at(-1)!];
  const gap = moments.slice(1).reduce((least, at, i) => Math.min(least, at - moments[i]!), Infinity);
  const step = moments.length === 1 ? 60_000 : Math.max(gap, (end - start) / MOST_BUCKETS, 1);
  const buckets = { start, step, count: Math.round((end - start) / step) + 1 };
  const isBar = visualization === 'columnchart';
  const isArea = visualization === 'areachart';
  const sum = (list: [number, number | null][]) => list.reduce((total, [, value]) => total + Math.abs(value ?? 0), 0);
  const largest = [...points].sort((a, b) => sum(b[1]) - sum(a[1])).slice(0, MOST_SERIES);
  const lines = largest.map(([name, list], i): Line => {
    const values: (number | null)[] = Array.from({ length: buckets.count }, () => null);
    for (const [at, value] of list) values[Math.round((at - start) / step)] = value;
    return { name, color: seriesColor(i), kind: isBar ? 'bar' : isArea ? 'area' : 'line', values };
  });
  return { kind: 'time', lines, buckets, stacked: (isBar || isArea) && lines.length > 1 };
}
