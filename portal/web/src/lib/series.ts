// Series of the API as rows of a chart.

import type { Series } from '../api/types';
import { parseTime } from './moment';

export interface Line {
  name: string;
  /** A token's name. */
  color: string;
  values: (number | null)[];
  kind: 'line' | 'area' | 'bar';
  dashed?: boolean;
  /** Drawn, but neither in legend nor tooltip. */
  quiet?: boolean;
  /** Has an axis of its own at the right that is not shown: bars behind lines. */
  behind?: boolean;
}

/** Buckets that several series share. */
export interface Buckets {
  start: number;
  step: number;
  count: number;
}

export function bucketsOf(series: readonly Series[]): Buckets {
  const first = series[0];
  if (!first) return { start: 0, step: 1, count: 0 };
  const step = Math.max(1, first.stepMs);
  const start = Math.min(...series.map((one) => parseTime(one.start)));
  const end = Math.max(...series.map((one) => parseTime(one.start) + one.values.length * step));
  return { start, step, count: Math.max(0, Math.round((end - start) / step)) };
}

/** Values of a series in the buckets of all; null where it has none. */
export function aligned(series: Series, { start, step, count }: Buckets): (number | null)[] {
  const shift = Math.round((parseTime(series.start) - start) / step);
  return Array.from({ length: count }, (_, i) => series.values[i - shift] ?? null);
}

export function find(series: readonly Series[], name: string): Series | undefined {
  return series.find((one) => one.name === name);
}

/** Each series on top of those before it. */
export function stacked(lines: readonly (readonly (number | null)[])[]): (number | null)[][] {
  const sums: number[] = [];
  return lines.map((values) =>
    values.map((value, i) => {
      sums[i] = (sums[i] ?? 0) + (value ?? 0);
      return value === null ? null : sums[i];
    }),
  );
}

/** Largest value and where it is. */
export function peak(values: readonly (number | null)[]): { index: number; value: number } | undefined {
  let best: { index: number; value: number } | undefined;
  values.forEach((value, index) => {
    if (value !== null && (best === undefined || value > best.value)) best = { index, value };
  });
  return best;
}

/** Rows of buckets as tab separated text. */
export function tsv(lines: readonly Line[], { start, step, count }: Buckets): string {
  const rows = [['time', ...lines.map((line) => line.name.replaceAll(/[\t\n]/g, ' '))].join('\t')];
  for (let i = 0; i < count; i += 1) rows.push([new Date(start + i * step).toISOString(), ...lines.map((line) => line.values[i] ?? '')].join('\t'));
  return rows.join('\n');
}

/** Values between gaps have no line, and would not be seen; null without any. */
export function lonely(values: readonly (number | null)[]): number[] | null {
  const found = values.flatMap((value, i) => (value !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null ? [i] : []));
  return found.length > 0 ? found : null;
}
