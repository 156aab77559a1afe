// Seconds of servers as lines of charts.

import type { LiveChart, LiveServer } from '../api/types';

/** The figures of one second. Rates are per second, durations in milliseconds. */
export interface Row {
  second: number;
  requests: number;
  requestMs: number;
  requestWeight: number;
  failed: number;
  dependencies: number;
  dependencyMs: number;
  dependencyWeight: number;
  failedDependencies: number;
  exceptions: number;
  cpu: number | null;
  memory: number | null;
  /** Value and weight by own chart. */
  charts: Record<string, [number, number]>;
}

export interface Shown extends Omit<LiveServer, 'rows'> {
  rows: Row[];
}

/** What a filter names: services on one machine share the name of their instance. */
export function serverKey({ role, name }: Pick<LiveServer, 'role' | 'name'>): string {
  return `${role}/${name}`;
}

/** How values of several servers become one. */
export const ACROSS = ['sum', 'avg', 'max'] as const;
export type Across = (typeof ACROSS)[number];

/** Seconds of a server that the page keeps. */
const MOST = 3600;

export function rowOf(columns: readonly unknown[]): Row {
  const number = (at: number) => (typeof columns[at] === 'number' ? columns[at] : 0);
  const optional = (at: number) => (typeof columns[at] === 'number' ? columns[at] : null);
  return {
    second: number(0),
    requests: number(1),
    requestMs: number(2),
    requestWeight: number(3),
    failed: number(4),
    dependencies: number(5),
    dependencyMs: number(6),
    dependencyWeight: number(7),
    failedDependencies: number(8),
    exceptions: number(9),
    cpu: optional(10),
    memory: optional(11),
    charts: (columns[12] ?? {}) as Record<string, [number, number]>,
  };
}

/** Known seconds with those that were told, each once, in order. */
export function merged(known: readonly Row[], told: readonly Row[]): Row[] {
  const first = told[0];
  if (first === undefined) return known as Row[];
  const kept = known.filter((row) => row.second < first.second);
  const again = new Map(known.filter((row) => row.second >= first.second).map((row) => [row.second, row]));
  for (const row of told) again.set(row.second, row);
  const newer = [...again.values()].sort((a, b) => a.second - b.second);
  return [...kept, ...newer].slice(-MOST);
}

/** One of the figures that every client has. */
export interface Figure {
  id: string;
  /** The value of a server's second, and what it weighs in a mean. */
  value: (row: Row) => { value: number; weight: number } | null;
  /** Values that are not added: means and shares. */
  isMean?: boolean;
}

const plain = (pick: (row: Row) => number | null) => (row: Row) => {
  const value = pick(row);
  return value === null ? null : { value, weight: 1 };
};

export const FIGURES = {
  requests: { id: 'requests', value: plain((row) => row.requests) },
  requestMs: { id: 'requestMs', value: (row) => (row.requestWeight > 0 ? { value: row.requestMs, weight: row.requestWeight } : null), isMean: true },
  failed: { id: 'failed', value: plain((row) => row.failed) },
  dependencies: { id: 'dependencies', value: plain((row) => row.dependencies) },
  dependencyMs: { id: 'dependencyMs', value: (row) => (row.dependencyWeight > 0 ? { value: row.dependencyMs, weight: row.dependencyWeight } : null), isMean: true },
  failedDependencies: { id: 'failedDependencies', value: plain((row) => row.failedDependencies) },
  exceptions: { id: 'exceptions', value: plain((row) => row.exceptions) },
  cpu: { id: 'cpu', value: plain((row) => row.cpu), isMean: true },
  memory: { id: 'memory', value: plain((row) => row.memory) },
} satisfies Record<string, Figure>;

/** An own chart: combined over servers as it says itself. */
export function figureOf(chart: LiveChart): Figure {
  return {
    id: chart.id,
    value: (row) => {
      const found = row.charts[chart.id];
      return found === undefined ? null : { value: found[0], weight: found[1] };
    },
    isMean: chart.across === 'Avg',
  };
}

export function acrossOf(chart: LiveChart): Across | 'min' {
  return ({ Sum: 'sum', Avg: 'avg', Min: 'min', Max: 'max' } as const)[chart.across as 'Sum'] ?? 'sum';
}

/** The values of a second, combined; null where no server says anything. */
export function combined(values: readonly { value: number; weight: number }[], across: Across | 'min', isMean: boolean): number | null {
  if (values.length === 0) return null;
  if (across === 'max') return Math.max(...values.map((one) => one.value));
  if (across === 'min') return Math.min(...values.map((one) => one.value));
  const sum = values.reduce((all, one) => all + one.value, 0);
  if (!isMean) return across === 'sum' ? sum : sum / values.length;
  const weight = values.reduce((all, one) => all + one.weight, 0);
  return weight > 0 ? values.reduce((all, one) => all + one.value * one.weight, 0) / weight : 0;
}

/** A figure from `from`, a second, on: `count` values of `step` seconds each. A step is the mean of its seconds. */
export function values(servers: readonly Shown[], figure: Figure, across: Across | 'min', from: number, count: number, step = 1): (number | null)[] {
  const bySecond = new Map<number, { value: number; weight: number }[]>();
  for (const server of servers) {
    for (let i = server.rows.length - 1; i >= 0; i -= 1) {
      const row = server.rows[i]!;
      if (row.second < from) break;
      if (row.second >= from + count * step) continue;
      const one = figure.value(row);
      if (one === null) continue;
      const others = bySecond.get(row.second);
      if (others) others.push(one);
      else bySecond.set(row.second, [one]);
    }
  }
  return Array.from({ length: count }, (_, i) => {
    let [sum, found] = [0, 0];
    for (let second = from + i * step; second < from + (i + 1) * step; second += 1) {
      const value = combined(bySecond.get(second) ?? [], across, figure.isMean === true);
      if (value === null) continue;
      sum += value;
      found += 1;
    }
    return found === 0 ? null : sum / found;
  });
}

/** The last value that is there: that of the last complete second, or of one before while a post is under way. */
export function newest(list: readonly (number | null)[]): number | null {
  const complete = list.slice(-4, -1);
  return complete.findLast((value) => value !== null) ?? null;
}
