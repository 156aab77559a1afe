// The pages: their paths, their names, and their modules.

import type { Component } from 'svelte';
import type { IconName } from './icons';

export interface Page {
  id: string;
  path: string;
  label: string;
  short: string;
  group: string;
  icon: IconName;
  /** The key after `g`. */
  key: string;
  /** Starts with a folded rail on middle widths. */
  wide?: boolean;
  /** The text of an empty page. */
  promise: string;
}

export const PAGES: Page[] = [
  { id: 'overview', path: '/', label: 'Overview', short: 'Overview', group: 'Observe', icon: 'grid', key: 'o', promise: 'Whether it is well, and what changed since the last run.' },
  { id: 'map', path: '/map', label: 'Application map', short: 'Map', group: 'Observe', icon: 'map', key: 'm', wide: true, promise: 'Who calls whom, where it is slow or failing, on which side.' },
  { id: 'live', path: '/live', label: 'Live metrics', short: 'Live', group: 'Observe', icon: 'pulse', key: 'l', promise: 'What happens this second.' },
  { id: 'performance', path: '/performance', label: 'Performance', short: 'Performance', group: 'Investigate', icon: 'gauge', key: 'p', promise: 'Which operation is slow, for whom, because of what.' },
  { id: 'failures', path: '/failures', label: 'Failures', short: 'Failures', group: 'Investigate', icon: 'failure', key: 'f', promise: 'What fails, since when, and whether it is new.' },
  { id: 'transactions', path: '/transactions', label: 'Transactions', short: 'Transactions', group: 'Investigate', icon: 'bars', key: 't', promise: 'Every item, searched and watched as it arrives.' },
  { id: 'metrics', path: '/metrics', label: 'Metrics', short: 'Metrics', group: 'Explore', icon: 'chart', key: 'x', promise: 'How a number moves, and by what.' },
  { id: 'logs', path: '/logs', label: 'Logs', short: 'Logs', group: 'Explore', icon: 'terminal', key: 'k', wide: true, promise: 'Any question, with the query that Azure would take.' },
  { id: 'doctor', path: '/doctor', label: 'Doctor', short: 'Doctor', group: 'Health', icon: 'doctor', key: 'd', promise: 'What Azure would reject, cut or draw wrongly, and how to fix it.' },
];

type Loader = () => Promise<{ default: Component }>;

/** Pages are loaded when they are opened; the overview comes with the frame. */
export const LOADERS: Record<string, Loader> = {
  start: () => import('../pages/Start.svelte'),
  map: () => import('../pages/Map.svelte'),
  live: () => import('../pages/Live.svelte'),
  performance: () => import('../pages/Performance.svelte'),
  failures: () => import('../pages/Failures.svelte'),
  transactions: () => import('../pages/Transactions.svelte'),
  transaction: () => import('../pages/Transaction.svelte'),
  metrics: () => import('../pages/Metrics.svelte'),
  logs: () => import('../pages/Logs.svelte'),
  doctor: () => import('../pages/Doctor.svelte'),
  compare: () => import('../pages/Compare.svelte'),
};

/** Which page a path is. */
export function pageOf(path: string): { id: string; argument: string } | undefined {
  const parts = path.split('/').filter((part) => part !== '').map(decode);
  if (parts.length === 0) return { id: 'overview', argument: '' };
  if (parts[0] === 'transactions' && parts.length === 2) return { id: 'transaction', argument: parts[1]! };
  if (parts.length === 1 && (parts[0] === 'start' || parts[0] === 'compare' || PAGES.some((page) => page.path === `/${parts[0]}`))) return { id: parts[0]!, argument: '' };
  return undefined;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
