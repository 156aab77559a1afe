// Numbers, times and texts as the pages show them.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const NO_VALUE = '–';

const integer = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const upTo1 = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const upTo2 = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });

/** `0.42 ms`, `9.1 ms`, `312 ms`, `3.00 s`, `2 m 04 s`, `3 h 05 m`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return NO_VALUE;
  const size = Math.abs(ms);
  if (size === 0) return '0 ms';
  if (size < 0.005) return '< 0.01 ms';
  if (size < 0.995) return `${ms.toFixed(2)} ms`;
  if (size < 9.95) return `${ms.toFixed(1)} ms`;
  if (size < 999.5) return `${Math.round(ms)} ms`;
  if (size < 59_995) return `${(ms / 1000).toFixed(2)} s`;
  if (size < HOUR - 500) {
    const seconds = Math.round(size / 1000);
    return `${ms < 0 ? '−' : ''}${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, '0')} s`;
  }
  const minutes = Math.round(size / MINUTE);
  return `${ms < 0 ? '−' : ''}${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} m`;
}

/** Two durations, with their unit once if it is the same: `26 · 397 ms`. */
export function durations(a: number | null | undefined, b: number | null | undefined): string {
  const [first, second] = [duration(a), duration(b)];
  const unit = / (ms|s)$/.exec(second)?.[0];
  return `${unit !== undefined && first.endsWith(unit) ? first.slice(0, -unit.length) : first} · ${second}`;
}

/** A duration on an axis: as few digits as tell the ticks apart. */
export function axisDuration(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 1) return `${upTo2.format(ms)} ms`;
  if (ms < 1000) return `${upTo1.format(ms)} ms`;
  if (ms < MINUTE) return `${upTo1.format(ms / 1000)} s`;
  if (ms < HOUR) return `${upTo1.format(ms / MINUTE)} m`;
  return `${upTo1.format(ms / HOUR)} h`;
}

/** A whole number with the thousands of the browser's locale. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined || !Number.isFinite(value) ? NO_VALUE : integer.format(value);
}

/** `1.2 M`, `18 k`, for axes and badges. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${upTo1.format(value / 1e9)} G`;
  if (size >= 1e6) return `${upTo1.format(value / 1e6)} M`;
  if (size >= 1e4) return `${upTo1.format(value / 1e3)} k`;
  return size !== 0 && size < 10 ? upTo2.format(value) : upTo1.format(value);
}

/** A value without a unit that is known. */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NO_VALUE;
  const size = Math.abs(value);
  if (size !== 0 && size < 0.01) return value.toExponential(1);
  return size >= 1000 ? integer.format(value) : size >= 100 ? upTo1.format(value) : upTo2.format(value);
}

/** Events a second: `20.9`, `0.7`, `0.02`. */
export function rate(perSecond: number | null | undefined): string {
  if (perSecond === null || perSecond === undefined || !Number.isFinite(perSecond)) return NO_VALUE;
  if (perSecond === 0) return '0';
  if (perSecond < 0.01) return '< 0.01';
  if (perSecond < 0.1) return perSecond.toFixed(2);
  if (perSecond < 100) return perSecond.toFixed(1);
  return integer.format(perSecond);
}

/** A share of one: `0.0 %`, `< 0.1 %`, `4.2 %`, `81 %`. */
export function share(part: number | null | undefined): string {
  if (part === null || part === undefined || !Number.isFinite(part)) return NO_VALUE;
  const percent = part * 100;
  if (percent === 0) return '0.0 %';
  if (percent < 0.1) return '< 0.1 %';
  if (percent < 9.95) return `${percent.toFixed(1)} %`;
  if (percent > 99 && percent < 100) return `${(Math.floor(percent * 10) / 10).toFixed(1)} %`;
  return `${Math.round(percent)} %`;
}

/** `603 MB`, `1.4 GB`; decimal, as disks and limits are sold. */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NO_VALUE;
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let index = 0;
  let rest = value;
  while (Math.abs(rest) >= 999.5 && index < units.length - 1) {
    rest /= 1000;
    index += 1;
  }
  return `${Math.abs(rest) < 10 && index > 0 ? upTo1.format(rest) : integer.format(rest)} ${units[index]}`;
}

function pad(value: number, digits = 2): string {
  return String(value).padStart(digits, '0');
}

let utc = false;

/** Whether clocks show UTC instead of local time. */
export function showUtc(value: boolean): void {
  utc = value;
}

function parts(ms: number) {
  const date = new Date(ms);
  return utc
    ? { y: date.getUTCFullYear(), o: date.getUTCMonth() + 1, d: date.getUTCDate(), h: date.getUTCHours(), m: date.getUTCMinutes(), s: date.getUTCSeconds() }
    : { y: date.getFullYear(), o: date.getMonth() + 1, d: date.getDate(), h: date.getHours(), m: date.getMinutes(), s: date.getSeconds() };
}

/** `14:32`. */
export function clock(ms: number): string {
  if (!Number.isFinite(ms)) return NO_VALUE;
  const { h, m } = parts(ms);
  return `${pad(h)}:${pad(m)}`;
}

/** `14:32:07`. */
export function time(ms: number): string {
  return Number.isFinite(ms) ? `${clock(ms)}:${pad(parts(ms).s)}` : NO_VALUE;
}

/** `14:32:07.452`. */
export function timeMs(ms: number): string {
  if (!Number.isFinite(ms)) return NO_VALUE;
  const whole = Math.floor(ms);
  return `${time(whole)}.${pad(((whole % 1000) + 1000) % 1000, 3)}`;
}

/** `2026-11-20 14:02:00`. */
export function dateTime(ms: number): string {
  if (!Number.isFinite(ms)) return NO_VALUE;
  const { y, o, d } = parts(ms);
  return `${y}-${pad(o)}-${pad(d)} ${time(ms)}`;
}

/** `14:32` today, otherwise with its day. */
export function moment(ms: number, now: number): string {
  const then = parts(ms);
  const today = parts(now);
  const same = then.y === today.y && then.o === today.o && then.d === today.d;
  return same ? time(ms) : `${pad(then.o)}-${pad(then.d)} ${clock(ms)}`;
}

/** ISO 8601 in UTC, for tooltips and copies. */
export function iso(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : NO_VALUE;
}

/** `now`, `9 s`, `4 min`, `2 h`, `3 d`. */
export function age(ms: number): string {
  if (!Number.isFinite(ms)) return NO_VALUE;
  if (ms < 5000) return 'now';
  if (ms < MINUTE) return `${Math.floor(ms / 1000)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / DAY)} d`;
}

/** A length of time as words of a range: `20 s`, `5 min`, `2 h`. */
export function grain(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < MINUTE) return `${Math.round(ms / 1000)} s`;
  if (ms < HOUR) return `${upTo1.format(ms / MINUTE)} min`;
  return `${upTo1.format(ms / HOUR)} h`;
}

/** `1 item`, `3 items`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** How many times as much: `5.1×`; under two a change in percent: `22 %`. */
export function change(now: number, was: number): string {
  if (was === 0) return now === 0 ? '±0' : 'new';
  const ratio = now / was;
  if (ratio >= 2) return `${ratio >= 100 ? Math.round(ratio) : ratio.toFixed(1)}×`;
  const percent = Math.round((ratio - 1) * 100);
  return percent === 0 ? '±0' : `${Math.abs(percent)} %`;
}

/** How far a value moved to call it up or down. */
export function direction(now: number, was: number): 'up' | 'down' | 'same' {
  if (was === 0) return now === 0 ? 'same' : 'up';
  const ratio = now / was;
  return ratio > 1.05 ? 'up' : ratio < 0.95 ? 'down' : 'same';
}

// C0, DEL, C1, bidi controls and marks, line separators, zero width characters, BOM, lone surrogates.
// eslint-disable-next-line no-control-regex
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Received text, with invisible and reordering characters as `\u{…}`. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`);
}

/** One line of a text, for rows. */
export function line(text: string, limit = 300): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return visible(cut.replace(/\s*[\r\n\t]+\s*/g, ' '));
}

/** The first letters of a SQL text that tell it apart: `SELECT price FROM product`. */
export function sqlHead(text: string): string {
  const flat = text.replace(/\s+/g, ' ').trim();
  const from = /^(SELECT|DELETE)\b.*?\bFROM\s+([\w."`[\]]+)/i.exec(flat);
  if (from) return `${from[1]?.toUpperCase()} ${from[2]}`;
  const other = /^(INSERT INTO|UPDATE|MERGE INTO)\s+([\w."`[\]]+)/i.exec(flat);
  return other ? `${other[1]?.toUpperCase()} ${other[2]}` : flat;
}
