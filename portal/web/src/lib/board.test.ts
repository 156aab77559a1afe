import { expect, it } from 'vitest';
import { defaultShow, formatBoard, parseBoard } from './board';

it('a board survives its address, whatever the names hold', () => {
  const cards = [
    { namespace: 'custom', name: 'charge|duration;x', show: 'p95' as const, split: ['charge,merchant', 'role'], top: 8, kind: 'bar' as const, filters: ['a~is~b|c'] },
    { namespace: '', name: '100%', show: '' as const, split: [], top: 5, kind: 'line' as const, filters: [] },
  ];
  expect(parseBoard(formatBoard(cards))).toEqual(cards);
});

it('what is no chart is left out', () => {
  expect(parseBoard('')).toEqual([]);
  expect(parseBoard(';a;|;x|y|nonsense|||spiral')).toMatchObject([{ name: 'y', show: '', kind: 'line' }]);
});

it('a metric shows what its instrument allows', () => {
  expect(defaultShow({ unit: 'ms', aggregations: ['avg', 'p95'] })).toBe('p95');
  expect(defaultShow({ unit: '', aggregations: ['avg', 'max'] })).toBe('avg');
  expect(defaultShow({ unit: 'By', aggregations: ['max'] })).toBe('max');
});
