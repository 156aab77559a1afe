// Queries that Azure's portal asks by itself, and those behind our panels, on the demo's data.

import { describe, inject, it } from 'vitest';
import { queries as panels } from '../src/lib/kql';
import { STARTERS } from '../src/logs/starters';

interface Answer {
  tables?: { columns: unknown[]; rows: unknown[][] }[];
  error?: unknown;
}

async function answer(query: string): Promise<{ status: number; rows: number; columns: number; error: unknown }> {
  const response = await fetch(`${inject('portal')}/v1/apps/local/query`, { method: 'POST', headers: { 'content-type': 'application/json', prefer: 'include-render=true' }, body: JSON.stringify({ query }) });
  const { tables, error } = (await response.json()) as Answer;
  return { status: response.status, rows: tables?.[0]?.rows.length ?? -1, columns: tables?.[0]?.columns.length ?? 0, error };
}

const per = (grain: string, chart: string) => `by bin(timestamp, ${grain})\n| render ${chart}`;
const timing = (name: string) => `browserTimings\n| where notempty(${name})\n| extend _sum = ${name}, _count = itemCount\n| extend _sum = _sum * _count\n| summarize sum(_sum) / sum(_count) ${per('5m', 'timechart')}`;
const counter = (category: string, name: string, id: string) => `performanceCounters\n| where (category == "${category}" and counter == "${name}") or name == "${id}"\n| extend performanceCounter_value = iif(itemType == "performanceCounter", value, todouble(''))\n| summarize sum(performanceCounter_value) / count() ${per('1m', 'timechart')}`;
const count = (table: string, where = '', chart = 'barchart') => `${table}\n${where === '' ? '' : `| where ${where}\n`}| summarize sum(itemCount) ${per('5m', chart)}`;
const duration = (table: string) => `${table}\n| where notempty(duration)\n| extend _value = iif(itemType == '${table === 'requests' ? 'request' : 'dependency'}', duration, todouble(''))\n| extend _count = itemCount\n| extend _sum = _value * _count\n| summarize sum(_sum) / sum(_count) ${per('5m', 'timechart')}`;

/** Metrics based on logs; whether the demo has rows for them. */
const METRICS: [string, string, boolean][] = [
  ['availability', `availabilityResults\n| summarize sum(todouble(success == 1) * 100) / count() by bin(timestamp, 5m), location\n| render timechart`, false],
  ['availability test duration', `availabilityResults\n| where notempty(duration)\n| extend availabilityResult_duration = iif(itemType == 'availabilityResult', duration, todouble(''))\n| summarize sum(availabilityResult_duration) / sum(itemCount) by bin(timestamp, 5m), location\n| render timechart`, false],
  ['availability tests', count('availabilityResults', '', 'timechart'), false],
  ...['totalDuration', 'processingDuration', 'networkDuration', 'receiveDuration', 'sendDuration'].map((name): [string, string, boolean] => [`browser timings, ${name}`, timing(name), false]),
  ['browser exceptions', count('exceptions', 'notempty(client_Browser)'), false],
  ['dependency call failures', count('dependencies', "success == 'False'"), true],
  ['exceptions', count('exceptions'), true],
  ['failed requests', count('requests', "success == 'False'"), true],
  ['server exceptions', count('exceptions', 'isempty(client_Browser)'), true],
  ['available memory', counter('Memory', 'Available Bytes', 'availableMemory'), false],
  ['exception rate', counter('.NET CLR Exceptions', '# of Exceps Thrown / sec', 'exceptionRate'), false],
  ['request execution time', counter('ASP.NET Applications', 'Request Execution Time', 'requestExecutionTime'), false],
  ['request rate', counter('ASP.NET Applications', 'Requests/Sec', 'requestsPerSecond'), false],
  ['requests in queue', counter('ASP.NET Applications', 'Requests In Application Queue', 'requestsInQueue'), false],
  ['process processor time', counter('Process', '% Processor Time Normalized', 'processCpuPercentage'), false],
  ['process I/O rate', counter('Process', 'IO Data Bytes/sec', 'processIOBytesPerSecond'), false],
  ['process private bytes', counter('Process', 'Private Bytes', 'processPrivateBytes'), false],
  ['processor time', counter('Processor', '% Processor Time', 'processorCpuPercentage'), false],
  ['dependency calls', count('dependencies'), true],
  ['dependency duration', duration('dependencies'), true],
  ['server request rate', count('requests', '', 'timechart'), true],
  ['server requests', count('requests'), true],
  ['server response time', duration('requests'), true],
  ['page view load time', `pageViews\n| where notempty(duration)\n| extend _count = itemCount, _sum = duration * itemCount\n| summarize sum(_sum) / sum(_count) ${per('5m', 'barchart')}`, false],
  ['page views', count('pageViews'), false],
  ['sessions', `union traces, requests, pageViews, dependencies, customEvents, availabilityResults, exceptions, customMetrics, browserTimings\n| where notempty(session_Id)\n| summarize dcount(session_Id) ${per('1h', 'barchart')}`, false],
  ['traces', count('traces'), true],
  ['users', `union traces, requests, pageViews, dependencies, customEvents, availabilityResults, exceptions, customMetrics, browserTimings\n| where notempty(user_Id)\n| summarize dcount(user_Id) ${per('1h', 'barchart')}`, false],
  ['users, authenticated', `union traces, requests, pageViews, dependencies, customEvents, availabilityResults, exceptions, customMetrics, browserTimings\n| where notempty(user_AuthenticatedId)\n| summarize dcount(user_AuthenticatedId) ${per('1h', 'barchart')}`, false],
];

/** What the pages of a resource offer to begin with. */
const PAGES: [string, string, boolean][] = [
  ['performance of operations', 'requests\n| summarize RequestsCount = sum(itemCount), AverageDuration = avg(duration), percentiles(duration, 50, 95, 99) by operation_Name\n| order by RequestsCount desc', true],
  ['countries by traffic', 'requests\n| summarize CountByCountry = count() by client_CountryOrRegion\n| top 10 by CountByCountry\n| render piechart', true],
  ['response times in buckets', 'requests\n| summarize requestCount = sum(itemCount), avgDuration = avg(duration) by performanceBucket\n| order by avgDuration asc\n| project-away avgDuration\n| render barchart', true],
  ['trend of response times', 'requests\n| where timestamp > ago(12h)\n| summarize avgRequestDuration = avg(duration) by bin(timestamp, 10m)\n| render timechart', true],
  ['failed requests, top three', 'requests\n| where success == false\n| summarize failedCount = sum(itemCount) by name\n| top 3 by failedCount desc\n| render barchart', true],
  ['failed operations', 'requests\n| where success == false\n| summarize failedCount = sum(itemCount), impactedUsers = dcount(user_Id) by operation_Name\n| order by failedCount desc', true],
  ['exceptions behind failed requests', 'requests\n| where timestamp > ago(1h) and success == false\n| join kind=inner (exceptions | where timestamp > ago(1h)) on operation_Id\n| project exceptionType = type, failedMethod = method, requestName = name, requestDuration = duration', true],
  ['problems of exceptions', 'exceptions\n| summarize exceptionsCount = sum(itemCount) by problemId, outerMessage\n| top 10 by exceptionsCount desc', true],
  ['failing dependencies', "dependencies\n| where success == false\n| summarize totalCount = sum(itemCount) by type\n| order by totalCount desc\n| render piechart", true],
  ['slowest pages', 'pageViews\n| where notempty(duration) and client_Type == "Browser"\n| extend total_duration = duration * itemCount\n| summarize avg_duration = sum(total_duration) / sum(itemCount) by operation_Name\n| top 3 by avg_duration desc\n| render piechart', false],
  ['trend of page views', 'pageViews\n| where client_Type == "Browser"\n| summarize count_sum = sum(itemCount) by bin(timestamp, 30m)\n| render timechart', false],
  ['all of a transaction', 'union isfuzzy=true requests, dependencies, traces, exceptions, customEvents, pageViews, availabilityResults\n| where timestamp > ago(1d)\n| where operation_Id in (toscalar(requests | where success == false | take 1 | project operation_Id))\n| order by timestamp asc\n| extend itemType = iif(itemType == "availabilityResult", itemType, iif(itemType == "customEvent", "event", itemType))', true],
];

const OF_PANELS: [string, string, boolean][] = [
  ...STARTERS.map(({ title, query }): [string, string, boolean] => [title, query, title !== 'Custom metrics']),
  ['requests', panels.requests({ role: ['web', 'shop'] }, '10s'), true],
  ['failed', panels.failed({}, '10s'), true],
  ['durations', panels.durations({ name: 'POST /checkout' }, '10s'), true],
  ['exceptions', panels.exceptions({}, '10s'), true],
  ['roles', panels.roles({}), true],
  ['dependencies', panels.dependencies({}), true],
  ['operations', panels.operations({}), true],
  ['distribution', panels.distribution('requests', {}), true],
  ['distribution of calls', panels.distribution('dependencies', {}), true],
  ['problem', panels.problem('a "problem"\\'), false],
  ['operation', panels.operation('none'), false],
  ['failures', panels.failures({}, '10s'), true],
  ...['requests', 'dependencies'].flatMap((table) => ['duration', 'count', 'failed'].map((what): [string, string, boolean] => [`metric ${table}/${what}`, panels.metric({ name: `${table}/${what}`, group: 'standard', split: ['role', 'resultCode'], show: 'p95', grain: '1m' }), true])),
  ['metric browserTimings/duration', panels.metric({ name: 'browserTimings/duration', group: 'browser', split: [], show: 'avg', grain: '1m' }), false],
  ['custom metric', panels.metric({ name: 'a "metric"', group: 'custom', split: ['a key'], show: 'avg', grain: '1m' }), false],
  ['counter', panels.metric({ name: 'cpu', group: 'counter', split: ['instance'], show: 'avg', grain: '1m' }), false],
];

describe.concurrent.for([['log-based metrics', METRICS], ["the pages of Azure's portal", PAGES], ['our panels', OF_PANELS]] as const)('%s', ([, list]) => {
  it.for(list)('%s', async ([, query, hasRows], { expect }) => {
    const { status, rows, columns, error } = await answer(query);
    expect({ status, error }).toEqual({ status: 200, error: undefined });
    expect(columns).toBeGreaterThan(0);
    if (hasRows) expect(rows).toBeGreaterThan(0);
    else expect(rows).toBeGreaterThanOrEqual(0);
  });
});
