import { describe, expect, it } from 'vitest';
import type { TransactionItem } from '../api/types';
import { criticalPath, summarize } from './critical';
import { parseTime } from './moment';
import { build, flatten, FOLD_FROM, type Row, skew, type Waterfall } from './waterfall';

const ORIGIN = Date.parse('2026-11-20T14:31:54.021Z');

interface Sketch {
  id: number;
  kind?: 'request' | 'dependency' | 'pageView' | 'trace' | 'exception';
  parent?: number;
  orphan?: string;
  at: number;
  takes?: number;
  name?: string;
  role?: string;
  failed?: boolean;
}

function entry({ id, kind = 'dependency', parent, orphan, at, takes, name = `n${id}`, role = 'shop', failed = false }: Sketch): TransactionItem {
  const item = { id, itemType: kind, timestamp: new Date(ORIGIN + at).toISOString(), name, operationId: 'op', operationParentId: orphan ?? null, durationMs: takes ?? null, success: !failed, roleName: role, type: kind === 'dependency' ? 'HTTP' : null, target: 't' };
  return { item, parent: parent ?? null, isOrphan: orphan !== undefined, properties: [], measurements: {}, causes: [] } as unknown as TransactionItem;
}

const everything = { closed: new Set<number>(), open: new Set<number>(), notes: true };

function shape(waterfall: Waterfall, view = everything): string[] {
  const label = (row: Row) => {
    if (row.kind === 'note') return `~${row.note.item.item.id}`;
    if (row.kind === 'fold') return `x${row.calls.length}`;
    const call = waterfall.calls[row.call]!;
    return `${call.outer?.item.id ?? '?'}${call.inner ? `+${call.inner.item.id}` : ''}`;
  };
  return flatten(waterfall, view).map((row) => '  '.repeat(row.depth) + label(row));
}

describe('joining', () => {
  const items = [
    entry({ id: 1, kind: 'request', at: 0, takes: 100, role: 'web' }),
    entry({ id: 2, parent: 1, at: 10, takes: 80, role: 'web' }),
    entry({ id: 3, kind: 'request', parent: 2, at: 15, takes: 70 }),
    entry({ id: 4, parent: 3, at: 20, takes: 30 }),
    entry({ id: 5, kind: 'trace', parent: 3, at: 40 }),
  ];

  it('a dependency and the request it became are one row, the children of both below', () => {
    expect(shape(build(items))).toEqual(['1', '  2+3', '    4', '    ~5']);
  });
  it('the order of arrival does not matter', () => {
    expect(shape(build(items.toReversed()))).toEqual(['1', '  2+3', '    4', '    ~5']);
  });
  it('a second request of the same dependency keeps a row of its own', () => {
    expect(shape(build([...items, entry({ id: 6, kind: 'request', parent: 2, at: 50, takes: 5 })]))).toEqual(['1', '  2+3', '    4', '    ~5', '    6']);
  });
  it('closed rows hide what is below them, and notes can be hidden', () => {
    expect(shape(build(items), { ...everything, closed: new Set([2]) })).toEqual(['1', '  2+3']);
    expect(shape(build(items), { ...everything, notes: false })).toEqual(['1', '  2+3', '    4']);
  });
  it('times are from the begin of the transaction', () => {
    const { calls, length, origin } = build(items);
    expect([origin, length]).toEqual([ORIGIN, 100]);
    expect(calls.find((call) => call.inner)).toMatchObject({ start: 10, end: 90, innerStart: 15, innerEnd: 85 });
  });
});

describe('what is missing or wrong', () => {
  it('the only begin is the root, even if its caller is elsewhere', () => {
    expect(shape(build([entry({ id: 1, kind: 'request', orphan: 'browser', at: 0, takes: 10 }), entry({ id: 2, parent: 1, at: 1, takes: 2 })]))).toEqual(['1', '  2']);
  });
  it('orphans hang under a row for the parent that was not received, one for each', () => {
    const items = [
      entry({ id: 1, kind: 'request', at: 0, takes: 10 }),
      entry({ id: 2, orphan: 'a', at: 2, takes: 2 }),
      entry({ id: 3, orphan: 'a', at: 5, takes: 4 }),
      entry({ id: 4, orphan: 'b', at: 7, takes: 1 }),
    ];
    const waterfall = build(items);
    expect(shape(waterfall)).toEqual(['1', '?', '  2', '  3', '?', '  4']);
    expect(waterfall.calls.find((call) => call.outer === undefined)).toMatchObject({ start: 2, end: 9 });
  });
  it('a circle is cut, and every item is still shown once', () => {
    const rows = shape(build([entry({ id: 1, parent: 3, at: 0, takes: 9 }), entry({ id: 2, parent: 1, at: 1, takes: 7 }), entry({ id: 3, parent: 2, at: 2, takes: 5 }), entry({ id: 4, parent: 4, at: 3, takes: 1 })]));
    expect(rows.map((row) => row.trim()).sort()).toEqual(['1', '2', '3', '4']);
  });
  it('nothing gives nothing', () => {
    expect(build([])).toMatchObject({ calls: [], roots: [] });
  });
  it('a chain of 10,000 calls does not exhaust the stack', () => {
    const items = Array.from({ length: 10_000 }, (_, i) => entry({ id: i + 1, ...(i === 0 ? {} : { parent: i }), at: i, takes: 20_000 - 2 * i }));
    const waterfall = build(items);
    expect(flatten(waterfall, everything)).toHaveLength(10_000);
    expect(criticalPath(waterfall, waterfall.roots[0]!).length).toBeGreaterThan(10_000);
  });
});

describe('clocks', () => {
  it('a callee inside its caller is not moved', () => expect(skew(0, 100, 10, 90)).toBe(0));
  it('one that begins before its caller is moved to the middle', () => expect(skew(0, 100, -400, -320)).toBe(410));
  it('one that begins after its caller ended is moved to the middle', () => expect(skew(0, 100, 500, 580)).toBe(-490));
  it('one that works on after its caller gave up is not moved', () => expect(skew(0, 100, 5, 900)).toBe(0));
  it('a longer one that begins too early is moved to the begin', () => expect(skew(0, 100, -50, 200)).toBe(50));
  it('the whole subtree moves along, and its notes', () => {
    const { calls, origin } = build([
      entry({ id: 1, at: 0, takes: 100 }),
      entry({ id: 2, kind: 'request', parent: 1, at: 412, takes: 80 }),
      entry({ id: 3, parent: 2, at: 420, takes: 10 }),
      entry({ id: 4, kind: 'trace', parent: 2, at: 425 }),
    ]);
    expect(origin).toBe(ORIGIN);
    expect(calls[0]).toMatchObject({ shift: -402, innerStart: 10, innerEnd: 90 });
    expect(calls[1]).toMatchObject({ start: 18, end: 28 });
    expect(calls[0]!.notes[0]!.at).toBe(23);
  });
  it('fractions of a millisecond count', () => {
    expect(parseTime('2026-11-20T14:31:54.0215678Z') - ORIGIN).toBeCloseTo(0.5678, 3);
    expect(parseTime('2026-11-20T14:31:54.1234Z') % 1).toBeCloseTo(0.4, 3);
    expect(parseTime('2026-11-20T14:31:54Z')).toBe(Date.parse('2026-11-20T14:31:54Z'));
    expect(parseTime(null)).toBeNaN();
  });
});

describe('self time', () => {
  it('is the duration less the union of the children, as far as they are inside', () => {
    const { calls } = build([
      entry({ id: 1, kind: 'request', at: 0, takes: 100 }),
      entry({ id: 2, parent: 1, at: 10, takes: 30 }),
      entry({ id: 3, parent: 1, at: 20, takes: 30 }), // overlaps
      entry({ id: 4, parent: 1, at: 90, takes: 50 }), // ends later
    ]);
    expect(calls[0]!.self).toBe(100 - 40 - 10);
  });
});

describe('folding', () => {
  const alike = (count: number) => Array.from({ length: count }, (_, i) => entry({ id: 10 + i, parent: 1, at: 10 * i, takes: 5, name: 'SELECT price' }));
  const root = entry({ id: 1, kind: 'request', at: 0, takes: 500 });

  it('siblings alike are one row from five on', () => {
    expect(shape(build([root, ...alike(FOLD_FROM - 1)]))).toHaveLength(FOLD_FROM);
    expect(shape(build([root, ...alike(FOLD_FROM)]))).toEqual(['1', '  x5']);
  });
  it('an open fold shows its calls below', () => {
    expect(shape(build([root, ...alike(5)]), { ...everything, open: new Set([10]) })).toEqual(['1', '  x5', '    10', '    11', '    12', '    13', '    14']);
  });
  it('calls of another target do not fold', () => {
    const items = alike(5);
    (items[4]!.item as { target: string }).target = 'other';
    expect(shape(build([root, ...items]))).toHaveLength(6);
  });
});

describe('the critical path', () => {
  const waterfall = build([
    entry({ id: 1, kind: 'request', at: 0, takes: 100 }),
    entry({ id: 2, parent: 1, at: 10, takes: 30, name: 'first' }), // 10..40
    entry({ id: 3, parent: 1, at: 15, takes: 20, name: 'hidden' }), // 15..35: beside the first
    entry({ id: 4, parent: 1, at: 50, takes: 40, name: 'second', failed: true }), // 50..90
    entry({ id: 5, parent: 1, at: 60, takes: 90, name: 'later' }), // ends after its parent
  ]);
  const path = criticalPath(waterfall, 0);

  it('goes back from the end, through what was waited for', () => {
    const named = path.map(({ call, from, to }) => [waterfall.calls[call]!.outer!.item.id, from, to]);
    expect(named).toEqual([[1, 0, 10], [2, 10, 40], [1, 40, 50], [4, 50, 90], [1, 90, 100]]);
  });
  it('adds up to the whole, without gaps', () => {
    expect(path.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(100);
  });
  it('is summed by call, with what no child covers by role', () => {
    const parts = summarize(waterfall, path, () => 'http');
    expect(parts.map(({ label, ms, failed }) => [label, ms, failed])).toEqual([['second', 40, true], ['uncovered time in shop', 30, false], ['first', 30, false]]);
  });
  it('folds calls alike, and the smallest parts into one', () => {
    const many = build([
      entry({ id: 1, kind: 'request', at: 0, takes: 200 }),
      ...Array.from({ length: 5 }, (_, i) => entry({ id: 10 + i, parent: 1, at: 10 * i, takes: 10, name: 'SELECT price' })),
      ...Array.from({ length: 4 }, (_, i) => entry({ id: 20 + i, parent: 1, at: 60 + i, takes: 1, name: `other ${i}` })),
    ]);
    const parts = summarize(many, criticalPath(many, 0), () => 'sql', 2);
    expect(parts.map(({ label, ms }) => [label, ms])).toEqual([['uncovered time in shop', 146], ['SELECT price ×5', 50], ['other, 4 spans', 4]]);
  });
  it('splits a joined call into network and uncovered time', () => {
    const joined = build([entry({ id: 1, at: 0, takes: 100 }), entry({ id: 2, kind: 'request', parent: 1, at: 20, takes: 70, role: 'stock' })]);
    const parts = summarize(joined, criticalPath(joined, 0), () => 'http');
    expect(parts.map(({ label, ms }) => [label, ms])).toEqual([['uncovered time in stock', 70], ['network to stock', 30]]);
  });
});

it('10,000 spans are built and flattened in less than 50 ms', () => {
  const items = Array.from({ length: 10_000 }, (_, i) => entry({ id: i + 1, ...(i === 0 ? {} : { parent: Math.floor((i - 1) / 8) + 1 }), at: i, takes: 10_000 - i, name: `call ${i % 97}` }));
  let best = Infinity;
  for (let round = 0; round < 8; round += 1) {
    const before = process.cpuUsage(); // other programs may have the processor meanwhile
    flatten(build(items), everything);
    best = Math.min(best, process.cpuUsage(before).user / 1000);
  }
  expect(best).toBeLessThan(50);
});
