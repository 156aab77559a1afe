// The queries behind panels, as they would be asked in Azure.

import { literal } from './kqlink';

export interface Where {
  role?: readonly string[];
  name?: string | undefined;
  target?: string | undefined;
}

function where({ role = [], name, target }: Where): string {
  const lines = [];
  if (role.length > 0) lines.push(`| where cloud_RoleName in (${role.map(literal).join(', ')})`);
  if (name !== undefined) lines.push(`| where name == ${literal(name)}`);
  if (target !== undefined) lines.push(`| where target == ${literal(target)}`);
  return lines.map((line) => `\n${line}`).join('');
}

/** What a chart of metrics shows. */
export interface Measured {
  /** `requests/duration` and the like for what is computed of items, or the metric's own name. */
  name: string;
  group: string;
  split: readonly string[];
  show: string;
  grain: string;
}

const OF_VALUES: Record<string, string> = { sum: 'sum(valueSum)', count: 'sum(valueCount)', min: 'min(valueMin)', max: 'max(valueMax)' };
const COLUMNS: Record<string, string> = { role: 'cloud_RoleName', instance: 'cloud_RoleInstance', operation: 'operation_Name', version: 'application_Version' };
const OWN = new Set(['name', 'target', 'type', 'resultCode', 'success']);

function metric({ name, group, split, show, grain }: Measured): string {
  const by = split.map((one, i) => `, dimension${i === 0 ? '' : i + 1} = ${COLUMNS[one] ?? (OWN.has(one) ? one : `tostring(customDimensions[${literal(one)}])`)}`).join('');
  const drawn = (table: string, condition: string, value: string) => `${table}${condition === '' ? '' : `\n| where ${condition}`}\n| summarize value = ${value} by bin(timestamp, ${grain})${by}\n| render timechart`;
  if (group === 'counter') return drawn('performanceCounters', `name == ${literal(name)}`, 'avg(value)');
  const [table = '', what] = name.split('/');
  if (group === 'custom' || what === undefined) return drawn('customMetrics', `name == ${literal(name)}`, OF_VALUES[show] ?? 'sum(valueSum) / sum(valueCount)');
  if (what !== 'duration') return drawn(table, what === 'failed' ? 'success == false' : '', 'sum(itemCount)');
  const column = table === 'browserTimings' ? 'totalDuration' : 'duration';
  const percentile = /^p(\d+)$/.exec(show)?.[1];
  return drawn(table, '', percentile ? `percentile(${column}, ${percentile})` : show === 'min' || show === 'max' ? `${show}(${column})` : show === 'count' ? 'sum(itemCount)' : show === 'sum' ? `sum(${column} * itemCount)` : `sum(${column} * itemCount) / sum(itemCount)`);
}

export const queries = {
  requests: (w: Where, bin: string) => `requests${where(w)}\n| summarize requests = sum(itemCount) by bin(timestamp, ${bin})\n| render timechart`,
  failed: (w: Where, bin: string) => `requests${where(w)}\n| where success == false\n| summarize failed = sum(itemCount) by bin(timestamp, ${bin})\n| render columnchart`,
  durations: (w: Where, bin: string) => `requests${where(w)}\n| summarize percentiles(duration, 50, 95, 99) by bin(timestamp, ${bin})\n| render timechart`,
  exceptions: (w: Where, bin: string) => `exceptions${where(w)}\n| summarize exceptions = sum(itemCount) by bin(timestamp, ${bin}), cloud_RoleName\n| render columnchart`,
  roles: (w: Where) => `requests${where(w)}\n| summarize requests = sum(itemCount), failed = sumif(itemCount, success == false), p95 = percentile(duration, 95) by cloud_RoleName\n| order by requests desc`,
  dependencies: (w: Where) => `dependencies${where(w)}\n| summarize calls = sum(itemCount), failed = sumif(itemCount, success == false), p95 = percentile(duration, 95) by target, type\n| order by calls desc`,
  operations: (w: Where) => `requests${where(w)}\n| summarize requests = sum(itemCount), failed = sumif(itemCount, success == false), percentiles(duration, 50, 95, 99), impact = sum(duration) by name, cloud_RoleName\n| order by impact desc`,
  distribution: (table: 'requests' | 'dependencies', w: Where) => `${table}${where(w)}\n| summarize calls = sum(itemCount) by performanceBucket\n| render columnchart`,
  problem: (id: string) => `exceptions\n| where problemId == ${literal(id)}\n| order by timestamp desc\n| take 100`,
  operation: (id: string) => `union requests, dependencies, traces, exceptions, customEvents, pageViews\n| where operation_Id == ${literal(id)}\n| order by timestamp asc`,
  metric,
  failures: (w: Where, bin: string) => `requests${where(w)}\n| where success == false\n| summarize failed = sum(itemCount) by bin(timestamp, ${bin}), cloud_RoleName\n| render columnchart`,
};

/** A length of time as a KQL literal. */
export function bin(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  return `${Math.max(1, Math.round(ms / 1000))}s`;
}
