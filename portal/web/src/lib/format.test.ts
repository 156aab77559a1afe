import { describe, expect, it } from 'vitest';
import { age, bytes, change, duration, durations, line, rate, share, sqlHead, visible } from './format';

describe('duration', () => {
  it.each([
    [0, '0 ms'],
    [0.001, '< 0.01 ms'],
    [0.42, '0.42 ms'],
    [0.999, '1.0 ms'],
    [9.1, '9.1 ms'],
    [9.96, '10 ms'],
    [312, '312 ms'],
    [999.6, '1.00 s'],
    [3000, '3.00 s'],
    [59_999, '1 m 00 s'],
    [124_000, '2 m 04 s'],
    [3_599_900, '1 h 00 m'],
    [11_100_000, '3 h 05 m'],
  ])('%d ms is shown as %s', (ms, text) => expect(duration(ms)).toBe(text));

  it.each([
    [26, 397, '26 · 397 ms'],
    [1200, 3050, '1.20 · 3.05 s'],
    [26, 3050, '26 ms · 3.05 s'],
    [null, 5, '– · 5.0 ms'],
    [0.001, 0.002, '< 0.01 · < 0.01 ms'],
    [61_000, 62_000, '1 m 01 · 1 m 02 s'],
  ])('%d and %d ms are shown as %s', (a, b, text) => expect(durations(a, b)).toBe(text));

  it.each([null, undefined, NaN, Infinity])('%s is shown as no value', (value) => expect(duration(value)).toBe('–'));
});

describe('share', () => {
  it.each([
    [0, '0.0 %'],
    [0.0004, '< 0.1 %'],
    [0.0042, '0.4 %'],
    [0.042, '4.2 %'],
    [0.0999, '10 %'],
    [0.9999, '99.9 %'],
    [1, '100 %'],
  ])('%d is shown as %s', (part, text) => expect(share(part)).toBe(text));
});

describe('others', () => {
  it('a rate keeps two digits only where one would hide it', () => {
    expect([0, 0.001, 0.05, 0.7, 20.9, 173.2].map(rate)).toEqual(['0', '< 0.01', '0.05', '0.7', '20.9', '173']);
  });
  it('bytes never show four digits before a unit', () => {
    expect([0, 999, 1000, 603_000_000, 999_600_000].map(bytes)).toEqual(['0 B', '999 B', '1 kB', '603 MB', '1 GB']);
  });
  it('a change is a factor from two on, a percentage below', () => {
    expect(change(51, 10)).toBe('5.1×');
    expect(change(122, 100)).toBe('22 %');
    expect(change(78, 100)).toBe('22 %');
    expect(change(3, 0)).toBe('new');
    expect(change(0, 0)).toBe('±0');
  });
  it('an age is said in its largest unit', () => {
    expect([0, 9000, 240_000, 7_200_000, 200_000_000].map(age)).toEqual(['now', '9 s', '4 min', '2 h', '2 d']);
  });
  it('controls, bidi marks and lone surrogates are made visible', () => {
    expect(visible('a\u202eb\u0000c\ud800d\u200b')).toBe('a\\u{202E}b\\u{0}c\\u{D800}d\\u{200B}');
  });
  it('real text of any script is left alone', () => {
    expect(visible('Grüße 日本 🚀 <b>&\n\t')).toBe('Grüße 日本 🚀 <b>&\n\t');
  });
  it('a row has one line, and is cut', () => {
    expect(line('a\n  b\tc')).toBe('a b c');
    expect(line('x'.repeat(1000))).toHaveLength(301);
  });
  it('SQL is told apart by its verb and table', () => {
    expect(sqlHead('select  price\nfrom product where id = $1')).toBe('SELECT product');
    expect(sqlHead('INSERT INTO orders (id) VALUES ($1)')).toBe('INSERT INTO orders');
    expect(sqlHead('COMMIT')).toBe('COMMIT');
  });
});
