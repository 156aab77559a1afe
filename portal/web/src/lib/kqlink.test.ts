import { expect, it } from 'vitest';
import { literal } from './kqlink';

it('a text cannot leave its literal', () => {
  expect(literal('a"b\\c\n| take 1')).toBe('"a\\"b\\\\c\\n| take 1"');
});
