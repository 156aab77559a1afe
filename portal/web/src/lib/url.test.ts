import { describe, expect, it } from 'vitest';
import { absolute, bucketCount, isRelative, label, parseMoment, rangeFrom, rangeTo, resolve } from './range';
import { filters, flag, formatFilter, oneOf, parseFilter, read, type Schema, show, span, text, texts, viewOf, whole, write } from './url';

interface Example {
  q: string;
  tab: 'one' | 'two';
  live: boolean;
  id: number | undefined;
  role: string[];
  dur: { from?: number; to?: number } | undefined;
  f: { field: string; op: 'is' | 'not' | 'gt' | 'ge' | 'lt' | 'le' | 'has'; value: string }[];
  from: string;
  to: string;
}
const schema: Schema<Example> = { q: text(), tab: oneOf(['one', 'two']), live: flag(true), id: whole(), role: texts(), dur: span(), f: filters(), from: rangeFrom, to: rangeTo };
const defaults = read(schema, new URLSearchParams());

describe('state in a URL', () => {
  it('defaults are left out', () => expect(show(write(schema, new URLSearchParams(), defaults))).toBe(''));

  it.each<Partial<Example>>([
    { q: 'a b & c = d? #é' },
    { tab: 'two', live: false, id: 77 },
    { role: ['shop', 'a&b', 'größe'] },
    { dur: { from: 1200, to: 5200 } },
    { dur: { from: 0.5 } },
    { dur: { to: 3 } },
    { f: [{ field: 'charge.merchant', op: 'is', value: 'm~0417' }, { field: 'duration', op: 'gt', value: '1s' }] },
    { from: '-45m' },
    { from: '2026-11-20T14:02:00.000Z', to: '2026-11-20T14:32:00.000Z' },
  ])('%o survives a round trip', (changes) => {
    const query = show(write(schema, new URLSearchParams('other=1'), changes));
    const back = read(schema, new URLSearchParams(query));
    expect(back).toEqual({ ...defaults, ...changes });
    expect(new URLSearchParams(query).get('other')).toBe('1');
  });

  it.each(['tab=three', 'id=x', 'dur=1..2..3', 'dur=..', 'f=a~b', 'f=~is~b', 'f=a~like~b', 'from=soon', 'to=later'])('%s counts as left out', (query) => {
    expect(read(schema, new URLSearchParams(query))).toEqual(defaults);
  });

  it('the value of a filter may hold what divides its parts', () => {
    const filter = { field: 'a', op: 'has', value: '~x~' } as const;
    expect(parseFilter(formatFilter(filter))).toEqual(filter);
  });

  it('a query stays readable', () => {
    expect(show(write(schema, new URLSearchParams(), { f: [{ field: 'x', op: 'is', value: 'a:b/c' }] }))).toBe('?f=x~is~a:b/c');
  });
});

describe('time ranges', () => {
  const now = Date.parse('2026-11-20T14:32:00Z');

  it.each([
    ['-45m', '2026-11-20T13:47:00Z'],
    ['now', '2026-11-20T14:32:00Z'],
    ['14:20', '2026-11-20T14:20:00Z'],
    ['15:00', '2026-11-19T15:00:00Z'], // a time of day that is still to come was yesterday's
    ['yesterday 9:00', '2026-11-19T09:00:00Z'],
    ['2026-11-01 08:30', '2026-11-01T08:30:00Z'],
    ['2026-11-01T08:30:15.5Z', '2026-11-01T08:30:15.500Z'],
    ['2026-11-01T08:30+02:00', '2026-11-01T06:30:00Z'],
  ])('%s is understood', (input, moment) => expect(parseMoment(input, now, true)).toBe(Date.parse(moment)));

  it.each(['soon', '25:00', '-45x', '12:60', '2026-13-01'])('%s is refused', (input) => expect(parseMoment(input, now, true)).toBeNaN());

  it('a relative range follows, an absolute one does not', () => {
    expect(resolve({ from: '-30m', to: '' }, { now })).toEqual({ from: now - 1_800_000, to: now });
    expect(isRelative({ from: 'run', to: '' })).toBe(true);
    const fixed = absolute(now - 10_000, now);
    expect(isRelative(fixed)).toBe(false);
    expect(resolve(fixed, { now: now + 99_999 })).toEqual({ from: now - 10_000, to: now });
  });
  it('a range since the run or of all kept has a length even when nothing is known', () => {
    for (const from of ['run', 'all']) {
      const range = resolve({ from, to: '' }, { now });
      expect(range.to - range.from).toBeGreaterThan(0);
    }
    expect(resolve({ from: 'run', to: '' }, { now, run: now - 5000 }).from).toBe(now - 5000);
  });
  it('a range that ends before it begins is not one', () => {
    const range = resolve({ from: '2026-11-20T15:00:00Z', to: '2026-11-20T14:00:00Z' }, { now });
    expect(range.to).toBeGreaterThan(range.from);
  });
  it('it is named after its preset, length or moments', () => {
    const clock = (ms: number) => new Date(ms).toISOString().slice(11, 16);
    expect(label({ from: '-30m', to: '' }, clock)).toBe('Last 30 min');
    expect(label({ from: '-45m', to: '' }, clock)).toBe('Last 45 min');
    expect(label(absolute(now - 1_800_000, now), clock)).toBe('14:02 – 14:32');
  });
  it('buckets have usual lengths', () => {
    expect(bucketCount({ from: 0, to: 30 * 60_000 })).toBe(90);
    expect(bucketCount({ from: 0, to: 5 * 60_000 })).toBe(30);
    expect(bucketCount({ from: 0, to: 24 * 3_600_000 })).toBeLessThanOrEqual(90);
  });
});

describe('a view', () => {
  it('is what an address shows, whatever its order, without the moment', () => {
    const one = viewOf(new URLSearchParams('q=a%20b&f=role~is~shop&f=name~not~x&app=k&live=0&sel=7&within=-1h/&from=-1h'));
    expect(one).toBe('f=role~is~shop&f=name~not~x&from=-1h&q=a+b');
    expect(viewOf(new URLSearchParams('from=-1h&f=role~is~shop&q=a%20b&f=name~not~x&app=other'))).toBe(one);
    expect(viewOf(new URLSearchParams('app=k'))).toBe('');
  });
  it('gives the same view again', () => expect(viewOf(new URLSearchParams(viewOf(new URLSearchParams('q=%22a%26b%22&tab=users'))))).toBe('q=%22a%26b%22&tab=users'));
});
