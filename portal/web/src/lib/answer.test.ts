import { describe, expect, it } from 'vitest';
import { type Answer, answerOf, csv, json, markdown, sorted, widths } from './answer';

const answer: Answer = answerOf({
  tables: [{ columns: [{ name: 'name', type: 'string' }, { name: 'n', type: 'long' }, { name: 'd', type: 'dynamic' }], rows: [['b|c', 2, '{"x":1}'], ['a', 10, null], ['=1+1', null, '[1]'], ['say "hi"\n', 2, 'x']] }],
  statistics: { query: { executionTime: 0.5, inputDatasetStatistics: { rows: { scanned: 1200 } }, notes: ['a note'] } },
  error: { message: 'some', details: [{ message: 'cut at 4 rows' }] },
});
const all = [0, 1, 2, 3];

describe('an answer', () => {
  it('says its time, the rows it read, its notes and why it was cut', () => expect([answer.seconds, answer.read, answer.notes, answer.partial]).toEqual([0.5, 1200, ['a note'], 'cut at 4 rows']));
  it('is ordered by numbers as numbers, with nulls last both ways, and is stable', () => {
    expect(sorted(all, answer, 1, false)).toEqual([0, 3, 1, 2]);
    expect(sorted(all, answer, 1, true)).toEqual([1, 0, 3, 2]);
    expect(sorted(all, answer, 0, false)).toEqual([2, 1, 0, 3]);
  });
  it('is copied as CSV that no spreadsheet computes', () => expect(csv(answer, all)).toBe('name,n,d\r\nb|c,2,"{""x"":1}"\r\na,10,\r\n\'=1+1,,[1]\r\n"say ""hi""\n",2,x'));
  it('is copied as JSON with dynamics parsed', () => expect(JSON.parse(json(answer, [0, 3]))).toEqual([{ name: 'b|c', n: 2, d: { x: 1 } }, { name: 'say "hi"\n', n: 2, d: 'x' }]));
  it('is copied as a table of Markdown, one line a row', () => {
    const lines = markdown(answer, all).split('\n');
    expect(lines).toHaveLength(6);
    expect(lines.slice(0, 3)).toEqual(['| name | n | d |', '| --- | --: | --- |', '| b\\|c | 2 | {"x":1} |']);
  });
  it('has columns of bounded width', () => expect(widths(answer).every((width) => width >= 76 && width <= 420)).toBe(true));
});
