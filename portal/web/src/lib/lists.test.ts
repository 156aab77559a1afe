import { describe, expect, it, vi } from 'vitest';
import { keyOf, SEQUENCE_MS, type Shortcut, Shortcuts } from './shortcuts';
import { binOf, binStart, lengthTicks, LogAxis, ticks, timeTicks } from './scale';
import { lonely } from './series';
import { reveal, windowOf } from './windowing';

function press(key: string, more: Partial<KeyboardEvent> = {}): KeyboardEvent {
  return { key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, defaultPrevented: false, isComposing: false, target: null, preventDefault: vi.fn(), ...more } as unknown as KeyboardEvent;
}

describe('keys', () => {
  const shortcut = (keys: string) => ({ keys, does: keys, group: 'all', run: vi.fn<Shortcut['run']>() });

  it.each([
    [press('?', { shiftKey: true }), '?'],
    [press('ArrowLeft', { shiftKey: true }), 'shift+ArrowLeft'],
    [press('K', { metaKey: true, shiftKey: false }), 'ctrl+k'],
    [press(' '), 'Space'],
    [press('ArrowUp', { altKey: true }), 'alt+ArrowUp'],
  ])('a press is named', (event, name) => expect(keyOf(event)).toBe(name));

  it('two keys in order run what they stand for, unless they are too far apart', () => {
    const [go, other] = [shortcut('g o'), shortcut('o')];
    const keys = new Shortcuts();
    keys.register([go, other]);
    keys.handle(press('g'), 0);
    keys.handle(press('o'), 100);
    expect(go.run).toHaveBeenCalledOnce();
    expect(other.run).not.toHaveBeenCalled();
    keys.handle(press('g'), 1000);
    keys.handle(press('o'), 1001 + SEQUENCE_MS);
    expect(other.run).toHaveBeenCalledOnce();
  });

  it("a page's keys go before the frame's, until the page is left", () => {
    const [frame, page] = [shortcut('f'), shortcut('f')];
    const keys = new Shortcuts();
    keys.register([frame]);
    const leave = keys.register([page]);
    keys.handle(press('f'));
    leave();
    keys.handle(press('f'));
    expect([page.run.mock.calls.length, frame.run.mock.calls.length]).toEqual([1, 1]);
  });

  it('single keys can be switched off, those with a modifier stay', () => {
    const [single, palette, close] = [shortcut('j'), shortcut('ctrl+k'), shortcut('Escape')];
    const keys = new Shortcuts();
    keys.register([single, palette, close]);
    keys.enabled = false;
    expect(keys.handle(press('j'))).toBe(false);
    expect(keys.handle(press('k', { ctrlKey: true }))).toBe(true);
    expect(keys.handle(press('Escape'))).toBe(true);
  });

  it('what was handled already, or is being composed, is left alone', () => {
    const keys = new Shortcuts();
    keys.register([shortcut('j')]);
    expect(keys.handle(press('j', { defaultPrevented: true }))).toBe(false);
    expect(keys.handle(press('j', { isComposing: true }))).toBe(false);
  });
});

describe('windows of rows', () => {
  it('only what can be seen, and a little more, is drawn', () => {
    const window = windowOf(3000, 600, 30, 10_000);
    expect(window).toEqual({ first: 90, end: 130, before: 2700, total: 300_000 });
  });
  it.each([[0, 0], [-50, 10], [1e9, 10]])('it stays inside the list (%d, %d rows)', (top, rows) => {
    const window = windowOf(top, 600, 30, rows);
    expect(window.first).toBeGreaterThanOrEqual(0);
    expect(window.end).toBeLessThanOrEqual(rows);
    expect(window.end).toBeGreaterThanOrEqual(window.first);
  });
  it('a row is scrolled to only when it is outside', () => {
    expect(reveal(5, 0, 600, 30)).toBe(0);
    expect(reveal(50, 0, 600, 30)).toBe(930);
    expect(reveal(2, 300, 600, 30)).toBe(60);
  });
});

describe('axes', () => {
  it.each([
    [20.9, [0, 10, 20, 30]],
    [7, [0, 2.5, 5, 7.5]],
    [0.3, [0, 0.1, 0.2, 0.3]],
    [1, [0, 0.5, 1]],
    [0, [0, 1]],
    [NaN, [0, 1]],
  ])('ticks up to %d are round', (max, expected) => expect(ticks(max)).toEqual(expected));

  it('ticks of time are at round moments', () => {
    const at = (text: string) => Date.parse(`2026-11-20T${text}Z`);
    expect(timeTicks(at('14:02:10'), at('14:32:10'), 4)).toEqual([at('14:10:00'), at('14:20:00'), at('14:30:00')]);
    expect(timeTicks(5, 5)).toEqual([]);
  });
  it('ticks of a transaction begin at its begin', () => {
    expect(lengthTicks(0, 4180)).toEqual([0, 1000, 2000, 3000, 4000]);
    expect(lengthTicks(1200, 1900)).toEqual([1200, 1400, 1600, 1800]);
    expect(lengthTicks(0, 0)).toEqual([0]);
  });
  it('a decade has ten bins, and a bin begins in itself', () => {
    expect(binOf(1)).toBe(0);
    expect(binOf(10)).toBe(10);
    expect(binOf(999.999)).toBe(29);
    expect(binOf(0)).toBe(-20);
    for (let bin = -20; bin < 60; bin += 1) expect(binOf(binStart(bin))).toBe(bin);
  });
  it('an axis of durations snaps to the boundaries of bins', () => {
    const axis = LogAxis.over(10, 10_000);
    expect(axis.position(10)).toBe(0);
    expect(axis.position(10_000)).toBe(1);
    expect(axis.position(1e9)).toBe(1);
    expect(axis.snap(axis.position(1200))).toBeCloseTo(10 ** 3.1, 6);
    expect(axis.ticks()).toContain(100);
    expect(LogAxis.over(100, 100).end).toBeGreaterThan(LogAxis.over(100, 100).first);
  });
});

it('values between gaps are found, since no line shows them', () => {
  expect(lonely([1, null, null, 2, 3, null, 4])).toEqual([0, 6]);
  expect(lonely([null, 5, null])).toEqual([1]);
  expect(lonely([0, null, 0])).toEqual([0, 2]);
  expect([lonely([1, 2, null]), lonely([null, null]), lonely([])]).toEqual([null, null, null]);
});
