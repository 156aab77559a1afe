// The time range: a preset, free text, or two moments; and the resulting moments.

import type { Codec } from './url';

const MINUTE = 60_000;

/** A range in the form of the URL. */
export interface Range {
  /** `-30m`, `run`, `all`, or the first moment in ISO 8601. */
  from: string;
  /** The last moment, or empty for now. */
  to: string;
}

export const DEFAULT_RANGE: Range = { from: '-30m', to: '' };

export const PRESETS = [
  { from: '-5m', label: 'Last 5 min', short: '5 min' },
  { from: '-30m', label: 'Last 30 min', short: '30 min' },
  { from: '-1h', label: 'Last 1 h', short: '1 h' },
  { from: '-6h', label: 'Last 6 h', short: '6 h' },
  { from: 'run', label: 'Since this run', short: 'run' },
  { from: 'all', label: 'All kept', short: 'all' },
] as const;

const UNITS: Record<string, number> = { s: 1000, m: MINUTE, h: 60 * MINUTE, d: 24 * 60 * MINUTE };

/** `-45m` in milliseconds. */
export function relative(value: string): number | undefined {
  const match = /^-(\d{1,6})(s|m|h|d)$/.exec(value);
  return match ? Number(match[1]) * UNITS[match[2]!]! : undefined;
}

/** Whether a range moves with time. */
export function isRelative(range: Range): boolean {
  return range.to === '' && (range.from === 'run' || range.from === 'all' || relative(range.from) !== undefined);
}

/** The moments that relative ranges refer to. */
export interface Clock {
  now: number;
  /** Begin of the current run. */
  run?: number | undefined;
  oldest?: number | undefined;
}

export interface Moments {
  from: number;
  to: number;
}

/** The moments of a range. An unreadable one is the default's. */
export function resolve(range: Range, clock: Clock): Moments {
  const end = Date.parse(range.to);
  const to = Number.isFinite(end) ? end : clock.now;
  const fallback = to - 30 * MINUTE;
  if (range.from === 'run') return { from: Math.min(clock.run ?? fallback, to - 1000), to };
  if (range.from === 'all') return { from: Math.min(clock.oldest ?? fallback, to - 1000), to };
  const length = relative(range.from);
  if (length !== undefined) return { from: to - length, to };
  const start = Date.parse(range.from);
  return { from: Number.isFinite(start) && start < to ? start : fallback, to };
}

function today(now: number, hours: number, minutes: number, seconds: number, utc: boolean, days = 0): number {
  const date = new Date(now);
  if (utc) return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + days, hours, minutes, seconds);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days, hours, minutes, seconds).getTime();
}

/** A moment as it is typed: `-45m`, `now`, `14:20`, `yesterday 9:00`, `2026-11-20 14:02`; NaN if it is none. */
export function parseMoment(input: string, now: number, utc = false): number {
  const value = input.trim().toLowerCase();
  if (value === '' || value === 'now') return now;
  const back = relative(value);
  if (back !== undefined) return now - back;
  const clock = /^(?:(today|yesterday)\s+)?(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(value);
  if (clock) {
    const [hours, minutes, seconds] = [Number(clock[2]), Number(clock[3]), Number(clock[4] ?? 0)];
    if (hours > 23 || minutes > 59 || seconds > 59) return NaN;
    const moment = today(now, hours, minutes, seconds, utc, clock[1] === 'yesterday' ? -1 : 0);
    return moment > now && clock[1] === undefined ? today(now, hours, minutes, seconds, utc, -1) : moment;
  }
  const date = /^(\d{4}-\d{2}-\d{2})(?:[ t](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?))?(z|[+-]\d{2}:\d{2})?$/.exec(value);
  if (!date) return NaN;
  const zone = date[3]?.toUpperCase() ?? (utc ? 'Z' : '');
  return Date.parse(`${date[1]}T${date[2] ?? '00:00'}${zone}`);
}

/** The label of a range on its button. */
export function label(range: Range, clock: (ms: number) => string): string {
  const preset = PRESETS.find((known) => known.from === range.from && range.to === '');
  if (preset) return preset.label;
  const length = /^-(\d+)([smhd])$/.exec(range.from);
  if (length && range.to === '') return `Last ${length[1]} ${{ s: 's', m: 'min', h: 'h', d: 'd' }[length[2] as 's']}`;
  const [from, to] = [Date.parse(range.from), Date.parse(range.to)];
  return `${Number.isFinite(from) ? clock(from) : range.from} – ${Number.isFinite(to) ? clock(to) : 'now'}`;
}

/** Two moments as a range. */
export function absolute(from: number, to: number): Range {
  return { from: new Date(Math.round(from)).toISOString(), to: new Date(Math.round(to)).toISOString() };
}

/** The first side of a range in a URL; defaults are left out. */
export const rangeFrom: Codec<string> = {
  parse: ([value]) => (value === undefined || (value !== 'run' && value !== 'all' && relative(value) === undefined && Number.isNaN(Date.parse(value))) ? DEFAULT_RANGE.from : value),
  format: (value) => (value === DEFAULT_RANGE.from ? [] : [value]),
};

export const rangeTo: Codec<string> = {
  parse: ([value]) => (value === undefined || Number.isNaN(Date.parse(value)) ? '' : value),
  format: (value) => (value === '' ? [] : [value]),
};

/** Buckets for a width: a grain that is a usual length of time, and at most `most` of it. */
const GRAINS = [10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400].map((s) => s * 1000);

export function bucketCount(moments: Moments, most = 90): number {
  const length = moments.to - moments.from;
  const grain = GRAINS.find((candidate) => length / candidate <= most) ?? Math.ceil(length / most);
  return Math.max(1, Math.ceil(length / grain));
}
