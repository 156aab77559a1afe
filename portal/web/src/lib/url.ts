// The query of a URL as typed state. A page describes its keys once; default values are omitted.

/** The form of a value in a query; `undefined` means "omitted". */
export interface Codec<T> {
  parse(values: string[]): T;
  format(value: T): string[];
}

/** A text; the empty one is left out. */
export function text(fallback = ''): Codec<string> {
  return {
    parse: (values) => values[0] ?? fallback,
    format: (value) => (value === fallback ? [] : [value]),
  };
}

/** One of a few words; another word counts as the first. */
export function oneOf<const T extends string>(words: readonly [T, ...T[]]): Codec<T> {
  const fallback = words[0];
  return {
    parse: (values) => words.find((word) => word === values[0]) ?? fallback,
    format: (value) => (value === fallback ? [] : [value]),
  };
}

/** A switch, `key=1` or `key=0` where it differs from its default. */
export function flag(fallback = false): Codec<boolean> {
  return {
    parse: (values) => (values[0] === undefined ? fallback : values[0] === '1'),
    format: (value) => (value === fallback ? [] : [value ? '1' : '0']),
  };
}

/** A whole number; anything else counts as left out. */
export function whole(): Codec<number | undefined> {
  return {
    parse: (values) => (/^\d{1,15}$/.test(values[0] ?? '') ? Number(values[0]) : undefined),
    format: (value) => (value === undefined ? [] : [String(value)]),
  };
}

/** Several texts under one key, as they are repeated. */
export function texts(): Codec<string[]> {
  return { parse: (values) => values.filter((value) => value !== ''), format: (values) => values };
}

/** A pair of numbers as `a..b`, either side open. */
export interface Span {
  from?: number;
  to?: number;
}

export function span(): Codec<Span | undefined> {
  const side = (value: string | undefined) => (value !== undefined && /^\d+(\.\d+)?$/.test(value) ? Number(value) : undefined);
  return {
    parse: (values) => {
      const [a, b, ...rest] = (values[0] ?? '').split('..');
      const [from, to] = [side(a), side(b)];
      if (rest.length > 0 || (from === undefined && to === undefined)) return undefined;
      return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
    },
    format: (value) => (value === undefined ? [] : [`${value.from ?? ''}..${value.to ?? ''}`]),
  };
}

/** The effect of a filter on its field. */
export const OPERATORS = ['is', 'not', 'gt', 'ge', 'lt', 'le', 'has'] as const;
export type Operator = (typeof OPERATORS)[number];

export interface Filter {
  field: string;
  op: Operator;
  value: string;
}

/** The words of operators in chips. */
export const OPERATOR_WORDS: Record<Operator, string> = { is: 'is', not: 'is not', gt: '>', ge: '≥', lt: '<', le: '≤', has: 'has' };

/** `field~op~value`; the value may hold `~`, the field may not. */
export function formatFilter(filter: Filter): string {
  return `${filter.field}~${filter.op}~${filter.value}`;
}

export function parseFilter(value: string): Filter | undefined {
  const first = value.indexOf('~');
  const second = value.indexOf('~', first + 1);
  const op = OPERATORS.find((known) => known === value.slice(first + 1, second));
  if (first < 1 || second < 0 || op === undefined) return undefined;
  return { field: value.slice(0, first), op, value: value.slice(second + 1) };
}

export function filters(): Codec<Filter[]> {
  return {
    parse: (values) => values.map(parseFilter).filter((filter) => filter !== undefined),
    format: (values) => values.map(formatFilter),
  };
}

/** The keys of a page with their codecs. */
export type Schema<S> = { readonly [K in keyof S]: Codec<S[K]> };

/** Reads a page's state from a query. */
export function read<S extends object>(schema: Schema<S>, query: URLSearchParams): S {
  const state = {} as S;
  for (const key of Object.keys(schema) as (keyof S & string)[]) state[key] = schema[key].parse(query.getAll(key));
  return state;
}

/** Writes changes into a copy of a query; keys of others stay. */
export function write<S extends object>(schema: Schema<S>, query: URLSearchParams, changes: Partial<S>): URLSearchParams {
  const result = new URLSearchParams(query);
  for (const key of Object.keys(changes) as (keyof S & string)[]) {
    result.delete(key);
    for (const value of schema[key].format(changes[key] as S[typeof key])) result.append(key, value);
  }
  return result;
}

/** A query with `:`, `,`, `/`, `~`, `>` and `|` readable, which a query may hold. */
export function show(query: URLSearchParams): string {
  const text = query.toString().replace(/%3A|%2C|%2F|%7E|%3E|%7C|%40/gi, decodeURIComponent);
  return text === '' ? '' : `?${text}`;
}

/** Keys that say where and when an address was looked at, rather than at what. */
const MOMENTARY = ['app', 'sel', 'live', 'within'];

/** What a query shows, in one form, to be kept under a name. */
export function viewOf(query: URLSearchParams): string {
  const kept = new URLSearchParams([...query].filter(([key]) => !MOMENTARY.includes(key)));
  kept.sort();
  return show(kept).slice(1);
}
