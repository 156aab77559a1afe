// Own charts and filters of samples in an address: an entry each, whose parts are joined by `|`.
//
//     charts=NAME|TYPE|PROJECTION|AGGREGATION|ACROSS|GROUP;GROUP
//     streams=NAME|TYPE,GROUP;TYPE,GROUP
//
// The conditions of a group are joined by `,`, the parts of a condition by `~`. What is usual is left out.

import type { LiveChart, LiveConfiguration, LiveFilter, LiveStream } from '../api/types';
import type { Codec } from '../lib/url';

/** In place of an empty list, which would be left out. */
const NONE = 'none';
const USUAL = { projection: 'Count()', aggregation: 'Sum', across: 'Sum' };

const encode = (text: string) => text.replaceAll(/[%|;,~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const formatFilters = (filters: readonly LiveFilter[]) => filters.map(({ field, predicate, comparand }) => [field, predicate, comparand].map(encode).join('~'));
function parseFilters(texts: readonly string[]): LiveFilter[] {
  return texts.flatMap((text) => {
    const [field = '', predicate = '', comparand = ''] = text.split('~').map(decode);
    return field === '' || predicate === '' ? [] : [{ field, predicate, comparand }];
  });
}
const split = (text: string, sign: string) => (text === '' ? [] : text.split(sign));

export function formatChart({ id, telemetryType, projection, aggregation, across, groups }: LiveChart): string {
  const usual = (key: keyof typeof USUAL, value: string) => (value === USUAL[key] ? '' : encode(value));
  return [encode(id), encode(telemetryType), usual('projection', projection), usual('aggregation', aggregation), usual('across', across), groups.map((group) => formatFilters(group).join(',')).join(';')].join('|').replace(/\|+$/, '');
}

export function parseChart(text: string): LiveChart | undefined {
  const [id = '', type = '', projection = '', aggregation = '', across = '', groups = ''] = text.split('|');
  if (id === '' || type === '') return undefined;
  return {
    id: decode(id),
    telemetryType: decode(type),
    projection: decode(projection) || USUAL.projection,
    aggregation: decode(aggregation) || USUAL.aggregation,
    across: decode(across) || USUAL.across,
    groups: split(groups, ';').map((group) => parseFilters(split(group, ','))),
  };
}

export function formatStream({ id, groups }: LiveStream): string {
  return `${encode(id)}|${groups.map(({ telemetryType, filters }) => [encode(telemetryType), ...formatFilters(filters)].join(',')).join(';')}`;
}

export function parseStream(text: string): LiveStream | undefined {
  const [id = '', groups = ''] = text.split('|');
  if (id === '' || groups === '') return undefined;
  return {
    id: decode(id),
    groups: groups.split(';').map((group) => {
      const [type = '', ...filters] = group.split(',');
      return { telemetryType: decode(type), filters: parseFilters(filters) };
    }),
  };
}

/** A list in an address; undefined where the address has none. */
function listed<T>(parse: (text: string) => T | undefined, format: (one: T) => string): Codec<T[] | undefined> {
  return {
    parse: (values) => (values.length === 0 ? undefined : values.map(parse).filter((one) => one !== undefined)),
    format: (list) => (list === undefined ? [] : list.length === 0 ? [NONE] : list.map(format)),
  };
}

export const charts = listed(parseChart, formatChart);
export const streams = listed(parseStream, formatStream);

/** What the address has for a configuration: what a new portal has is left out. */
export function chosen(configuration: LiveConfiguration, standard: LiveConfiguration): { charts: LiveChart[] | undefined; streams: LiveStream[] | undefined } {
  const other = <T>(list: T[], usual: T[], format: (one: T) => string) => (list.map(format).join('\n') === usual.map(format).join('\n') ? undefined : list);
  return { charts: other(configuration.charts, standard.charts, formatChart), streams: other(configuration.streams, standard.streams, formatStream) };
}

export const isSame = (a: LiveConfiguration, b: LiveConfiguration): boolean => {
  const { charts, streams } = chosen(a, b);
  return charts === undefined && streams === undefined;
};
