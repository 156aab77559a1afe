// Icons, colours and words of item types, dependency categories and results.

import type { Category, Item, ItemKind } from '../api/types';
import type { IconName } from './icons';

export interface Look {
  icon: IconName;
  /** A token's name. */
  color: string;
  word: string;
}

export const KINDS: Record<ItemKind, Look> = {
  request: { icon: 'request', color: 'type-request', word: 'Request' },
  dependency: { icon: 'globe', color: 'type-http', word: 'Dependency' },
  exception: { icon: 'failure', color: 'bad', word: 'Exception' },
  trace: { icon: 'lines', color: 'text3', word: 'Trace' },
  customEvent: { icon: 'flag', color: 'type-queue', word: 'Event' },
  customMetric: { icon: 'chart', color: 'type-rpc', word: 'Metric' },
  performanceCounter: { icon: 'gauge', color: 'type-rpc', word: 'Counter' },
  availabilityResult: { icon: 'check', color: 'ok', word: 'Availability' },
  pageView: { icon: 'window', color: 'type-browser', word: 'Page view' },
  browserTiming: { icon: 'clock', color: 'type-browser', word: 'Browser timing' },
};

export const CATEGORIES: Record<Category, Look> = {
  http: { icon: 'globe', color: 'type-http', word: 'HTTP' },
  sql: { icon: 'cylinder', color: 'type-sql', word: 'SQL' },
  cache: { icon: 'bolt', color: 'type-cache', word: 'Cache' },
  queue: { icon: 'boxes', color: 'type-queue', word: 'Queue' },
  rpc: { icon: 'arrows', color: 'type-rpc', word: 'RPC' },
  browser: { icon: 'window', color: 'type-browser', word: 'Browser' },
  inproc: { icon: 'braces', color: 'type-inproc', word: 'In process' },
  other: { icon: 'braces', color: 'type-inproc', word: 'Other' },
};

/** The category of a dependency type, as the portal's API sorts them. */
export function categoryOf(type: string | null | undefined): Category {
  const name = (type ?? '').toLowerCase();
  if (/redis|memcache|cache|valkey/.test(name)) return 'cache';
  if (/sql|postgres|mysql|maria|oracle|sqlite|mongo|cosmos|documentdb|cassandra|database|\bdb\b/.test(name)) return 'sql';
  if (/queue|kafka|rabbit|service ?bus|event ?hubs?|sqs|amqp|nats|pubsub|messag/.test(name)) return 'queue';
  if (/grpc|rpc|wcf|thrift/.test(name)) return 'rpc';
  if (/inproc|internal/.test(name)) return 'inproc';
  if (/ajax|fetch|browser/.test(name)) return 'browser';
  if (/http|blob|table|azure|aws|web/.test(name)) return 'http';
  return 'other';
}

/** How an item looks: dependencies by their category. */
export function lookOf(item: Pick<Item, 'itemType' | 'type'>): Look {
  return item.itemType === 'dependency' ? CATEGORIES[categoryOf(item.type)] : KINDS[item.itemType];
}

export type Level = 'ok' | 'warn' | 'bad' | 'info' | 'none';

export const SEVERITIES: { word: string; level: Level }[] = [
  { word: 'verbose', level: 'none' },
  { word: 'information', level: 'info' },
  { word: 'warning', level: 'warn' },
  { word: 'error', level: 'bad' },
  { word: 'critical', level: 'bad' },
];

/** How an item ended, as shape and word. */
export function resultOf(item: Item): { level: Level; word: string } {
  if (item.itemType === 'exception') return { level: 'bad', word: item.severity === null ? 'exception' : (SEVERITIES[item.severity]?.word ?? 'exception') };
  if (item.itemType === 'trace') return SEVERITIES[item.severity ?? 1] ?? { level: 'info', word: '' };
  if (item.success === false) return { level: 'bad', word: item.resultCode ?? 'failed' };
  if (item.success === true) return { level: 'ok', word: item.resultCode ?? 'ok' };
  return { level: 'none', word: '' };
}

/** Failed shares below one percent warn, from there on they are bad. */
export function levelOfShare(share: number): Level {
  return share >= 0.01 ? 'bad' : share > 0 ? 'warn' : 'ok';
}

/** Colours of series in order; the ninth on are "others". */
export const SERIES = ['type-request', 'k1', 'k2', 'k3', 'type-http', 'type-browser', 'type-rpc', 'type-inproc'];
export const OTHERS = 'type-inproc';

export function seriesColor(index: number): string {
  return index < 0 ? OTHERS : (SERIES[index] ?? OTHERS);
}

export const PERCENTILE_COLORS: Record<string, string> = { p50: 'type-http', p95: 'k1', p99: 'k3' };

const CODES: Record<string, string> = {
  '400': 'Bad Request', '401': 'Unauthorized', '402': 'Payment Required', '403': 'Forbidden', '404': 'Not Found', '405': 'Method Not Allowed', '408': 'Request Timeout', '409': 'Conflict',
  '410': 'Gone', '413': 'Payload Too Large', '415': 'Unsupported Media Type', '422': 'Unprocessable', '429': 'Too Many Requests', '499': 'Client Closed', '500': 'Server Error', '501': 'Not Implemented',
  '502': 'Bad Gateway', '503': 'Unavailable', '504': 'Gateway Timeout',
};

/** The meaning of a status code, where it is known. */
export function codeWords(code: string): string {
  return CODES[code] ?? '';
}
