import { expect, it } from 'vitest';
import { complete, quoted, suggest } from './suggest';

const fields = [
  { field: 'name', kind: 'standard' as const, type: 'text' as const, top: ['GET /', 'POST /orders'] },
  { field: 'charge.merchant', kind: 'property' as const, type: 'text' as const, top: ['m-0417', 'm 2'] },
];

it('fields are suggested for the last word', () => {
  expect(suggest('failed AND merch', fields).map((one) => one.insert)).toEqual(['charge.merchant:']);
  expect(suggest('', fields)).toEqual([]);
  expect(suggest('"quoted', fields)).toEqual([]);
});

it('values are suggested after a field, in quotes where they need them', () => {
  const found = suggest('x charge.merchant:m', fields);
  expect(found.map((one) => one.insert)).toEqual(['charge.merchant:m-0417', 'charge.merchant:"m 2"']);
  expect(complete('x charge.merchant:m', found[1]!)).toBe('x charge.merchant:"m 2" ');
  expect(complete('na', suggest('na', fields)[0]!)).toBe('name:');
  expect(quoted('a "b"')).toBe('"a \\"b\\""');
});
