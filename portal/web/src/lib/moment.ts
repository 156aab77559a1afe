// Moments of items, with the fractions of a millisecond that `Date` drops.

/** Milliseconds since 1970 of an RFC 3339 time; NaN if it is none. */
export function parseTime(value: string | null | undefined): number {
  if (value === null || value === undefined) return NaN;
  const whole = Date.parse(value);
  // `2026-11-20T14:31:54.0215678Z`: the digits after the third.
  if (value.length < 25 || value[19] !== '.') return whole;
  const fraction = Number.parseInt(value.slice(23, 29), 10);
  const digits = value.length - 24;
  return Number.isNaN(fraction) || value[value.length - 1] !== 'Z' ? whole : whole + fraction / 10 ** Math.min(digits, 6);
}
