import { expect, it } from 'vitest';
import { boardFile, defaultShow, formatBoard, parseBoard, readBoardFile } from './board';

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

it('a board survives its file', () => {
  const cards = parseBoard('custom|charge%7Cduration|p95|charge%2Cmerchant,role|8|bar|a~is~b;|requests/count');
  expect(cards).toHaveLength(2);
  expect(readBoardFile(boardFile('mine', cards))).toEqual({ name: 'mine', cards });
  expect(JSON.parse(boardFile('mine', cards))).toMatchObject({ board: 'mine', charts: [{ name: 'charge|duration', split: ['charge,merchant', 'role'], filters: ['a~is~b'] }, { name: 'requests/count' }] });
});

it('a file of something else is none, and of its charts only what is known is taken', () => {
  for (const text of ['', '{', 'null', '[]', '{"charts":{}}', '{"charts":[]}', '{"charts":[null]}', '{"charts":[{"namespace":"x"}]}']) expect(readBoardFile(text)).toBeUndefined();
  expect(readBoardFile('{"charts":[{"name":"a","kind":"spiral","top":-1,"show":7,"split":"role","colour":"red"}]}')).toEqual({ name: '', cards: [{ namespace: '', name: 'a', show: '', split: [], top: 5, kind: 'line', filters: [] }] });
});
