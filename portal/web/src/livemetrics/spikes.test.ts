import { expect, it } from 'vitest';
import { spikes, untilAsked } from './spikes';

it('finds the stretches that stand out, newest first', () => {
  const rates = [0, 0, 1, 2, 0, 0, 0, 0, 0, 3, 0];
  expect(spikes(rates, 1000, 10)).toEqual([
    { from: 1090, to: 1100, calls: 30 },
    { from: 1020, to: 1040, calls: 30 },
  ]);
});

it('joins what a single quiet step parts, and nothing farther apart', () => {
  expect(spikes([0, 1, 0, 1, 0, 0, 1, 0, 0, 0], 0, 10)).toEqual([
    { from: 60, to: 70, calls: 10 },
    { from: 10, to: 40, calls: 20 },
  ]);
});

it('takes a rate that is usual, and a few calls, for no spike', () => {
  expect(spikes([2, 2, 3, 2, 6, 2], 0, 10)).toEqual([]);
  expect(spikes([2, 2, 3, 2, 6.1, 2], 0, 10)).toEqual([{ from: 40, to: 50, calls: 61 }]);
  expect(spikes([0, 0, 0.4, 0, 0], 0, 10)).toEqual([]);
});

it('passes over seconds without a server', () => {
  expect(spikes([null, null, 1, null, null], 0, 10)).toEqual([]);
  expect(spikes([null, 0, 0, 1, null], 0, 10)).toEqual([{ from: 30, to: 40, calls: 10 }]);
  expect(spikes([], 0, 10)).toEqual([]);
});

it('counts down to the next question of every client, again and again', () => {
  expect([0, 1, 1000, 4999, 5000, 7500].map((passed) => untilAsked(100, 100 + passed))).toEqual([5, 5, 4, 1, 5, 3]);
  expect(untilAsked(100, 50)).toBe(5);
});
