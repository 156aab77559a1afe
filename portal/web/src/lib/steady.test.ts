import { expect, it } from 'vitest';
import { keepOrder } from './steady';

it('rows stay where they were, new ones come last, and what would move is counted', () => {
  const rows = [{ id: 'c' }, { id: 'a' }, { id: 'new' }, { id: 'b' }];
  const kept = keepOrder(['a', 'b', 'gone', 'c'], rows, (row) => row.id);
  expect(kept.rows.map((row) => row.id)).toEqual(['a', 'b', 'c', 'new']);
  expect(kept.moves).toBe(4);
  expect(keepOrder([], rows, (row) => row.id)).toEqual({ rows, moves: 0 });
});
