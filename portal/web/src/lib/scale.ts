// Ticks of axes, and the logarithmic bins of histograms.

/** Round values from 0 up to at least `max`, about `wanted` of them. */
export function ticks(max: number, wanted = 3): number[] {
  if (!(max > 0) || !Number.isFinite(max)) return [0, 1];
  const rough = max / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999) ?? 10 * power;
  const count = Math.ceil(max / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}

const SECOND = 1000;
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800].map((s) => s * SECOND);

/** Moments at round distances inside a range, in local time for whole hours. */
export function timeTicks(from: number, to: number, wanted = 4): number[] {
  const length = to - from;
  if (!(length > 0)) return [];
  const step = TIME_STEPS.find((candidate) => length / candidate <= wanted) ?? Math.ceil(length / wanted);
  const zone = step >= 3_600_000 ? new Date(from).getTimezoneOffset() * 60_000 : 0;
  const first = Math.ceil((from - zone) / step) * step + zone;
  const result = [];
  for (let at = first; at <= to; at += step) result.push(at);
  return result;
}

/** Round lengths of time from 0 to less than `length`, for the axis of a transaction. */
export function lengthTicks(from: number, to: number, wanted = 5): number[] {
  const length = to - from;
  if (!(length > 0)) return [from];
  const rough = length / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999) ?? 10 * power;
  const result = [];
  for (let i = Math.ceil(from / step - 1e-9); i * step < to; i += 1) result.push(Number((i * step).toPrecision(12)));
  return result;
}

/** Bins of a decade. */
export const PER_DECADE = 10;

/** The bin of a duration; those of no length are in that of 0.01 ms. */
export function binOf(ms: number): number {
  return Math.floor(Math.log10(Math.max(ms, 0.01)) * PER_DECADE + 1e-9);
}

/** Where a bin begins. */
export function binStart(bin: number): number {
  return 10 ** (bin / PER_DECADE);
}

/** An axis from one bin to another; positions are shares of its length. */
export class LogAxis {
  constructor(
    readonly first: number,
    /** One past the last. */
    readonly end: number,
  ) {}

  static over(fromMs: number, toMs: number): LogAxis {
    const first = binOf(fromMs);
    return new LogAxis(first, Math.max(first + 1, Math.ceil(Math.log10(Math.max(toMs, 0.01)) * PER_DECADE - 1e-9)));
  }

  position(ms: number): number {
    const bins = Math.log10(Math.max(ms, 0.001)) * PER_DECADE;
    return Math.min(1, Math.max(0, (bins - this.first) / (this.end - this.first)));
  }

  /** The nearest boundary between bins. */
  snap(position: number): number {
    const bin = Math.round(this.first + position * (this.end - this.first));
    return binStart(Math.min(this.end, Math.max(this.first, bin)));
  }

  /** Powers of ten, and halves of them where they are few. */
  ticks(): number[] {
    const decades = (this.end - this.first) / PER_DECADE;
    const factors = decades <= 1.2 ? [1, 2, 3, 5, 7] : decades <= 3.5 ? [1, 2, 5] : [1];
    const result = [];
    for (let power = Math.floor(this.first / PER_DECADE); power <= Math.ceil(this.end / PER_DECADE); power += 1) {
      for (const factor of factors) {
        const value = factor * 10 ** power;
        const at = Math.log10(value) * PER_DECADE;
        if (at >= this.first - 1e-6 && at <= this.end + 1e-6) result.push(value);
      }
    }
    return result;
  }
}
