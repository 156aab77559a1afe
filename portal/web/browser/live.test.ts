import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { ask } from './programs';
import { join, reader, violations } from './reader';

const base = inject('portal');
const web = inject('web');
let browser: Browser;

interface Servers {
  isWatched: boolean;
  servers: { role: string; source: string; rows: unknown[][] }[];
}

beforeAll(async () => (browser = await join()));
afterAll(() => browser.close());

/** Opens the page and waits until all three services post. */
async function watching(page: Page): Promise<void> {
  await expect.poll(async () => (await ask<Servers>(`${base}/api/live/servers`)).servers.filter((one) => one.source === 'liveMetrics' && one.rows.length > 0).length, { timeout: 30_000 }).toBe(3);
  await page.getByText('3 servers connected').waitFor();
}

const requests = (page: Page) => page.getByRole('img', { name: /^Requests: most/ }).getAttribute('aria-label');
const most = (sentence: string | null) => Number(/most ([\d.]+)/.exec(sentence ?? '')?.[1] ?? 0);

it('a request moves a line within two seconds', async () => {
  const one = await reader(browser, base);
  await one.open('/live?role=web');
  await expect.poll(async () => (await ask<Servers>(`${base}/api/live/servers`)).servers.some((server) => server.role === 'web' && server.source === 'liveMetrics' && server.rows.length > 0), { timeout: 30_000 }).toBe(true);
  const before = most(await requests(one.page));
  const began = Date.now();
  await Promise.all(Array.from({ length: 8 + 2 * Math.ceil(before) }, async () => (await fetch(`${web}/products/1`)).text()));
  await expect.poll(async () => most(await requests(one.page)), { timeout: 10_000, interval: 50 }).toBeGreaterThan(before + 2);
  expect(Date.now() - began).toBeLessThan(2_000);
  await one.close();
});

it('shows servers with their figures, samples with the way to their transaction, and stands still when paused', async () => {
  const one = await reader(browser, base);
  await one.open('/live');
  await watching(one.page);
  await one.page.getByRole('row').filter({ hasText: 'rust:otel' }).first().waitFor();
  await (await fetch(`${web}/products/404`)).text();
  const sample = one.page.locator('.samples li').first();
  await sample.waitFor({ timeout: 10_000 });
  await sample.getByRole('button').first().click();
  await one.page.getByRole('link', { name: 'Open transaction' }).first().waitFor();
  await one.page.getByRole('button', { name: 'Pause', exact: true }).last().click();
  await (await fetch(`${web}/products/404`)).text();
  await one.page.getByText(/paused, \d+ more/).waitFor({ timeout: 10_000 });
  expect(await violations(one.page)).toEqual([]);
  await one.close();
});

it('an own chart is sent to clients, and a mistake in it is said', async () => {
  const one = await reader(browser, base, { expected: /400/ });
  await one.open('/live');
  await watching(one.page);
  await one.page.getByRole('button', { name: 'Add chart' }).click();
  await one.page.getByLabel('Name').fill('products');
  await one.page.getByRole('button', { name: 'condition', exact: true }).last().click();
  await one.page.getByLabel('Field 1').fill('Speed');
  await one.page.getByLabel('Value 1').fill('products');
  await one.page.getByRole('button', { name: 'Add', exact: true }).click();
  await one.page.getByRole('alert').getByText('Speed').waitFor();
  await one.page.getByLabel('Field 1').fill('Name');
  await one.page.getByRole('button', { name: 'Add', exact: true }).click();
  const chart = one.page.getByRole('img', { name: /^products: most/ });
  await chart.waitFor({ timeout: 15_000 });
  await Promise.all(Array.from({ length: 5 }, async () => (await fetch(`${web}/products/2`)).text()));
  await expect.poll(async () => most(await chart.getAttribute('aria-label')), { timeout: 10_000 }).toBeGreaterThan(0);
  await one.page.getByRole('button', { name: 'Remove products' }).click();
  await chart.waitFor({ state: 'detached' });
  await one.close();
});

it('clients post only while the page is open', async () => {
  await expect.poll(async () => (await ask<Servers>(`${base}/api/live/servers`)).isWatched, { timeout: 15_000 }).toBe(false);
});

it.each([1440, 1024, 390])('fits at %d pixels', async (width) => {
  const one = await reader(browser, base, { width });
  await one.open('/live');
  await one.page.getByRole('img', { name: /^Requests:/ }).waitFor({ timeout: 30_000 });
  const [inner, outer] = await one.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  expect(inner).toBeLessThanOrEqual(outer!);
  expect(await violations(one.page)).toEqual([]);
  await one.close();
});
