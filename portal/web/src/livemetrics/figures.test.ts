import { expect, it } from 'vitest';
import { acrossOf, combined, FIGURES, figureOf, merged, newest, type Row, rowOf, type Shown, values } from './figures';

const row = (second: number, more: Partial<Row> = {}): Row => ({ ...rowOf([second]), ...more });
const server = (...rows: Row[]) => ({ rows }) as Shown;

it('reads a second with its columns', () => {
  const read = rowOf([7, 1, 2, 3, 4, 5, 6, 7, 8, 9, null, 11, { own: [1, 2] }]);
  expect(read).toEqual({ second: 7, requests: 1, requestMs: 2, requestWeight: 3, failed: 4, dependencies: 5, dependencyMs: 6, dependencyWeight: 7, failedDependencies: 8, exceptions: 9, cpu: null, memory: 11, charts: { own: [1, 2] } });
});

it('takes a second that is told again instead of the one before', () => {
  const known = [row(1, { requests: 1 }), row(2, { requests: 1 }), row(3, { requests: 1 })];
  const rows = merged(known, [row(2, { requests: 5 }), row(4)]);
  expect(rows.map((one) => [one.second, one.requests])).toEqual([[1, 1], [2, 5], [3, 1], [4, 0]]);
  expect(merged(known, [])).toEqual(known);
});

it('keeps an hour', () => {
  const long = Array.from({ length: 3600 }, (_, i) => row(i));
  const rows = merged(long, [row(3600)]);
  expect([rows.length, rows[0]!.second]).toEqual([3600, 1]);
});

it('adds rates, and weights durations by calls', () => {
  const servers = [server(row(1, { requests: 2, requestMs: 100, requestWeight: 2 })), server(row(1, { requests: 6, requestMs: 20, requestWeight: 6 }))];
  expect(values(servers, FIGURES.requests, 'sum', 1, 1)).toEqual([8]);
  expect(values(servers, FIGURES.requests, 'avg', 1, 1)).toEqual([4]);
  expect(values(servers, FIGURES.requests, 'max', 1, 1)).toEqual([6]);
  expect(values(servers, FIGURES.requestMs, 'sum', 1, 1)).toEqual([40]);
});

it('shows a gap where no server says anything, not zero', () => {
  const servers = [server(row(1, { requests: 2 }), row(3, { requests: 4 }))];
  expect(values(servers, FIGURES.requests, 'sum', 0, 5)).toEqual([null, 2, null, 4, null]);
  expect(values(servers, FIGURES.requestMs, 'sum', 1, 1)).toEqual([null]);
  expect(values(servers, FIGURES.requests, 'sum', 0, 2, 2)).toEqual([2, 4]);
});

it('survives weights of nothing', () => {
  expect(combined([{ value: 5, weight: 0 }], 'avg', true)).toBe(0);
  expect(combined([{ value: 5, weight: 0 }, { value: 7, weight: 1 }], 'avg', true)).toBe(7);
});

it('combines own charts as they say themselves', () => {
  const chart = { id: 'own', telemetryType: 'Request', groups: [], projection: 'Duration', aggregation: 'Max', across: 'Min' };
  const servers = [server(row(1, { charts: { own: [3, 1] } })), server(row(1, { charts: { own: [-4, 1] } })), server(row(1))];
  expect(values(servers, figureOf(chart), acrossOf(chart), 1, 1)).toEqual([-4]);
});

it('says the value of the last complete second', () => {
  expect(newest([1, 2, 3, 99])).toBe(3);
  expect(newest([1, 2, null, 99])).toBe(2);
  expect(newest([1, null, null, null, null])).toBe(null);
});
