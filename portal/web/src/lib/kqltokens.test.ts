import { describe, expect, it } from 'vitest';
import { atByte, hasTimeFilter, placeOf, renamed, tokens } from './kqltokens';

const at = (marked: string) => placeOf(marked.replace('¦', ''), marked.indexOf('¦'));

describe('tokens', () => {
  it('comments, texts, numbers with units and words with hyphens are one token each', () => {
    expect(tokens('requests // a | b\n| project-away x, "a|b", @"c\\", 1.5h').map(({ kind, text }) => `${kind} ${text}`)).toEqual(['word requests', 'comment // a | b', 'pipe |', 'word project-away', 'word x', 'sign ,', 'string "a|b"', 'sign ,', 'string @"c\\"', 'sign ,', 'number 1.5h']);
  });
});

describe('a filter by time', () => {
  it.each(['requests | where timestamp > ago(1h)', 'requests | where ago(1h) < timestamp', 'AppRequests | where TimeGenerated between (ago(1h) .. now())', 'requests | where timestamp >= datetime(2026-01-01)', 'requests | where timestamp == now()'])('is found in %s', (query) => expect(hasTimeFilter(query)).toBe(true));
  it.each(['requests | summarize count() by bin(timestamp, 1h)', 'requests // timestamp > ago(1h)', 'requests | extend timestamp = now()', 'requests | where name == "timestamp > 3"'])('is not in %s', (query) => expect(hasTimeFilter(query)).toBe(false));
});

describe('the place of the cursor', () => {
  it('begins with tables', () => {
    expect(at('¦')).toMatchObject({ kind: 'table', pipeline: '' });
    expect(at('req¦')).toMatchObject({ kind: 'table', from: 0 });
    expect(at('let a = 1;\nreq¦')).toMatchObject({ kind: 'table' });
    expect(at('requests | join (dep¦')).toMatchObject({ kind: 'table' });
    expect(at('requests | join kind=inner (dep¦')).toMatchObject({ kind: 'table' });
  });
  it('has operators after a pipe', () => expect(at('requests | wh¦')).toMatchObject({ kind: 'operator', from: 11 }));
  it('has the columns of the pipeline before the last pipe', () => {
    expect(at('requests\n| summarize n = count() by name\n| order by ¦')).toMatchObject({ kind: 'expression', pipeline: 'requests\n| summarize n = count() by name' });
    expect(at('requests | where tostring(¦')).toMatchObject({ kind: 'expression', pipeline: 'requests' });
    expect(at('let t = requests;\nt | where ¦')).toMatchObject({ pipeline: 'let t = requests;t' });
    expect(at('requests | join (dependencies | where tar¦')).toMatchObject({ kind: 'expression', pipeline: 'dependencies' });
    expect(at('requests | where name in ("a") | where ¦')).toMatchObject({ kind: 'expression', pipeline: 'requests | where name in ("a")' });
  });
  it('knows what a text is compared with, and whose member is named', () => {
    expect(at('requests | where name == "GE¦')).toMatchObject({ kind: 'value', column: 'name', isMember: false, from: 26 });
    expect(at('requests | extend customDimensions["te¦')).toMatchObject({ kind: 'value', column: 'customDimensions', isMember: true });
    expect(at('requests | extend customDimensions.te¦')).toMatchObject({ kind: 'value', column: 'customDimensions', isMember: true });
  });
  it('is nowhere in a comment', () => expect(at('requests // wh¦').kind).toBe('none'));
});

describe('names of a workspace', () => {
  const names = new Map([['requests', 'AppRequests'], ['timestamp', 'TimeGenerated'], ['duration', 'DurationMs']]);
  it('replace those of tables and columns, not those that the query makes', () => {
    expect(renamed('requests // requests\n| where timestamp > ago(1h) and name == "duration"', names)).toBe('AppRequests // requests\n| where TimeGenerated > ago(1h) and name == "duration"');
    expect(renamed('requests | summarize duration = sum(itemCount) | order by duration', names)).toBe('AppRequests | summarize duration = sum(itemCount) | order by duration');
    expect(renamed('requests | where duration == 3', names)).toBe('AppRequests | where DurationMs == 3');
  });
});

describe('offsets in bytes', () => {
  it('count letters by their length', () => expect([atByte('aé€😀b', 0), atByte('aé€😀b', 3), atByte('aé€😀b', 6), atByte('aé€😀b', 10), atByte('ab', 99)]).toEqual([0, 2, 3, 5, 2]));
});
