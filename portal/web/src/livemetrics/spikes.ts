// Stretches of the history that stand out, as ways to their transactions.

/** A stretch, in seconds since 1970; its end does not belong to it. */
export interface Spike {
  from: number;
  to: number;
  /** Calls in it. */
  calls: number;
}

/** A step stands out from this many times the usual rate. */
const TIMES = 3;
/** Fewer calls are no spike, as in the rules of the overview. */
const LEAST = 5;
/** A single quiet step does not end a spike. */
const QUIET = 1;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** The spikes of rates per second, newest first. `from` is the second of the first value, `step` the seconds of each. */
export function spikes(rates: readonly (number | null)[], from: number, step: number): Spike[] {
  const usual = median(rates.filter((rate) => rate !== null));
  const found: { first: number; last: number; calls: number }[] = [];
  rates.forEach((rate, at) => {
    if (rate === null || rate <= usual * TIMES) return;
    const open = found.at(-1);
    if (open !== undefined && at - open.last <= QUIET + 1) {
      open.last = at;
      open.calls += rate * step;
    } else found.push({ first: at, last: at, calls: rate * step });
  });
  return found
    .filter((one) => one.calls >= LEAST)
    .map(({ first, last, calls }) => ({ from: from + first * step, to: from + (last + 1) * step, calls }))
    .reverse();
}

/** Clients without a reader ask this often, in ms. */
const ASK_EVERY = 5000;

/** Seconds until every client has asked once more, where the page has waited since `since`. */
export function untilAsked(since: number, now: number): number {
  return Math.ceil((ASK_EVERY - (Math.max(0, now - since) % ASK_EVERY)) / 1000);
}
