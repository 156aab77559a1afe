import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { ask } from './programs';
import { join, reader, settle, violations } from './reader';

const base = inject('portal');
let browser: Browser;
/** Every page with something selected, as links would open it. */
const paths: Record<string, string> = {};

beforeAll(async () => {
  browser = await join();
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
    'transactions, users': '/transactions?tab=users',
    transaction: `/transactions/${failed.transactions[0]?.operationId}`,
    'transaction, sequence': `/transactions/${failed.transactions[0]?.operationId}?view=sequence`,
    'transaction, flame': `/transactions/${failed.transactions[0]?.operationId}?view=flame`,
    'transaction, map': `/transactions/${failed.transactions[0]?.operationId}?view=map`,
    metrics: '/metrics',
    logs: '/logs',
    'logs, a chart': `/logs?q=${encodeURIComponent('requests | summarize sum(itemCount) by bin(timestamp, 1s), cloud_RoleName | render timechart')}`,
    doctor: '/doctor',
    compare: '/compare',
  });
});
afterAll(() => browser.close());

const NAMES = ['overview', 'start', 'map', 'map, a node', 'map, an edge', 'map, as a table', 'performance', 'performance, an operation', 'performance, dependencies', 'failures', 'failures, a problem', 'failures, operations', 'transactions', 'transactions, operations', 'transactions, users', 'transaction', 'transaction, sequence', 'transaction, flame', 'transaction, map', 'metrics', 'logs', 'logs, a chart', 'doctor', 'compare'];

/** Widths of a window, the first with both themes. */
const WIDTHS = [1440, 1024, 390];

describe.concurrent('in light and dark, wide and narrow', () => {
  it.for(NAMES)('%s has a heading, fits, and has nothing that axe objects to', async (name, { expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open(paths[name]!);
    expect(await page.locator('h1:visible').count()).toBe(1);
    expect(await page.title()).toMatch(/ · /);
    const found: string[] = [];
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: width < 700 ? 844 : 900 });
      for (const theme of width === WIDTHS[0] ? (['light', 'dark'] as const) : (['light'] as const)) {
        await page.emulateMedia({ colorScheme: theme });
        await settle(page);
        const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        if (inner! > outer!) found.push(`${width}: ${inner} pixels wide`);
        found.push(...(await violations(page)).map((one) => `${width} ${theme}: ${one}`));
      }
    }
    expect(found).toEqual([]);
    await close();
  });
});
