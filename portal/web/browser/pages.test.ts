import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ask } from './programs';
import { launch, reader, violations } from './reader';

const base = inject('portal');
let browser: Browser;
/** Every page with something selected, as links would open it. */
const paths: Record<string, string> = {};

beforeAll(async () => {
  browser = await launch();
  const failed = await ask<{ transactions: { operationId: string }[] }>(`${base}/api/transactions?success=false&limit=1`);
  const problems = await ask<{ problems: { id: number }[] }>(`${base}/api/problems`);
  const map = await ask<{ nodes: { id: string; kind: string }[]; edges: { id: string }[] }>(`${base}/api/map`);
  Object.assign(paths, {
    overview: '/',
    start: '/start',
    map: '/map',
    'map, a node': `/map?sel=${encodeURIComponent(`node:${map.nodes.find((node) => node.kind === 'role')?.id}`)}`,
    'map, an edge': `/map?sel=${encodeURIComponent(`edge:${map.edges[0]?.id}`)}`,
    'map, as a table': '/map?table=1',
    performance: '/performance',
    'performance, an operation': '/performance?op=POST%20/checkout&of=web',
    'performance, dependencies': '/performance?tab=dependencies',
    failures: '/failures',
    'failures, a problem': `/failures?sel=${problems.problems[0]?.id}`,
    'failures, operations': '/failures?tab=operations',
    transactions: '/transactions',
    'transactions, operations': '/transactions?tab=operations',
    transaction: `/transactions/${failed.transactions[0]?.operationId}`,
    'transaction, sequence': `/transactions/${failed.transactions[0]?.operationId}?view=sequence`,
    'transaction, flame': `/transactions/${failed.transactions[0]?.operationId}?view=flame`,
    'transaction, map': `/transactions/${failed.transactions[0]?.operationId}?view=map`,
    metrics: '/metrics',
    doctor: '/doctor',
    compare: '/compare',
  });
});
afterAll(() => browser.close());

const NAMES = ['overview', 'start', 'map', 'map, a node', 'map, an edge', 'map, as a table', 'performance', 'performance, an operation', 'performance, dependencies', 'failures', 'failures, a problem', 'failures, operations', 'transactions', 'transactions, operations', 'transaction', 'transaction, sequence', 'transaction, flame', 'transaction, map', 'metrics', 'doctor', 'compare'];

describe.each(['light', 'dark'] as const)('in %s', (theme) => {
  it.each(NAMES)('%s has a heading, a title and nothing that axe objects to', async (name) => {
    const one = await reader(browser, base, { theme });
    await one.open(paths[name]!);
    expect(await one.page.locator('h1:visible').count()).toBe(1);
    expect(await one.page.title()).toMatch(/ · /);
    expect(await violations(one.page)).toEqual([]);
    await one.close();
  });
});

describe.each([1024, 390])('at %d pixels', (width) => {
  it.each(NAMES)('%s fits, and has nothing that axe objects to', async (name) => {
    const one = await reader(browser, base, { width });
    await one.open(paths[name]!);
    const [inner, outer] = await one.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    expect(inner).toBeLessThanOrEqual(outer!);
    expect(await violations(one.page)).toEqual([]);
    await one.close();
  });
});
