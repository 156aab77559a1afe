import { expect, it } from 'vitest';
import { decodeQuery, encodeQuery, literal } from './kqlink';

it.each(['', 'requests | take 5', 'traces\n| where message has "größe 🚀"', 'x'.repeat(10_000)])('a query survives the address', async (query) => {
  const packed = await encodeQuery(query);
  expect(packed).toMatch(/^[\w-]*$/);
  expect(await decodeQuery(packed)).toBe(query);
});

it('what is no query is refused', async () => {
  expect(await decodeQuery('not a query!')).toBeUndefined();
  expect(await decodeQuery('AAAA')).toBeUndefined();
});

it('a text cannot leave its literal', () => {
  expect(literal('a"b\\c\n| take 1')).toBe('"a\\"b\\\\c\\n| take 1"');
});
