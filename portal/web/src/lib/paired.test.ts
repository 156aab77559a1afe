import { expect, it } from 'vitest';
import type { TransactionItem } from '../api/types';
import { paired } from './paired';
import { build, mainItem } from './waterfall';

let next = 0;
function call(name: string, takes: number, parent?: number, success = true): TransactionItem {
  next += 1;
  return { item: { id: next, itemType: parent === undefined ? 'request' : 'dependency', timestamp: new Date(1_700_000_000_000 + next).toISOString(), name, operationId: 'op', operationParentId: null, durationMs: takes, success, roleName: 'shop', type: 'SQL', target: 't' }, parent: parent ?? null, isOrphan: false, properties: [], measurements: {}, causes: [] } as unknown as TransactionItem;
}

it('calls at the same path are one row, with what either has alone', () => {
  const root = call('GET /a', 50);
  const a = build([root, call('SELECT', 5, root.item.id), call('SELECT', 7, root.item.id), call('INSERT', 9, root.item.id)]);
  const other = call('GET /a', 80, undefined, false);
  const slow = call('CALL', 60, other.item.id, false);
  const b = build([other, call('SELECT', 6, other.item.id), slow, call('DEEP', 1, slow.item.id)]);
  const rows = paired(a, b).map((row) => `${'  '.repeat(row.depth)}${mainItem(row.call)?.item.name} ${row.a.calls}×${row.a.ms} ${row.b.calls}×${row.b.ms} ${row.b.failed}`);
  expect(rows).toEqual(['GET /a 1×50 1×80 1', '  SELECT 2×12 1×6 0', '  INSERT 1×9 0×0 0', '  CALL 0×0 1×60 1', '    DEEP 0×0 1×1 0']);
});

it('rows are bounded', () => {
  const root = call('GET /a', 50);
  const many = build([root, ...Array.from({ length: 100 }, (_, i) => call(`q${i}`, 1, root.item.id))]);
  expect(paired(many, many, 10)).toHaveLength(10);
});
