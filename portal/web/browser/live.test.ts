import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { ask, startPortal } from './programs';
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

it('own charts and filters are in the address: another browser, the way back and another page show them', async () => {
  const portal = await startPortal();
  const one = await reader(browser, portal.url, { expected: /400/ });
  const address = (page: Page) => ['charts', 'streams'].map((key) => new URL(page.url()).searchParams.getAll(key));
  const kept = async () => {
    const { charts, streams } = await ask<{ charts: { id: string }[]; streams: { id: string }[] }>(`${portal.url}/api/live/configuration`);
    return [charts.map(({ id }) => id), streams.map(({ id }) => id)];
  };
  const standard = ['failed requests', 'failed calls', 'exceptions', 'events', 'traces'];
  // A server, so that the page has charts.
  const item = JSON.stringify({ name: 'x', time: new Date().toISOString(), iKey: '00000000-0000-0000-0000-000000000001', tags: { 'ai.cloud.role': 'edge', 'ai.cloud.roleInstance': 'edge-1' }, data: { baseType: 'RequestData', baseData: { ver: 2, id: 'e1', name: 'GET /edge', duration: '00:00:00.050', responseCode: '200', success: true } } });
  const sends = () => fetch(`${portal.url}/v2.1/track`, { method: 'POST', body: item });
  await one.open('/live');
  await one.page.getByText('Waiting for a server').waitFor();
  await sends();
  const remove = (name: string) => one.page.getByRole('button', { name: `Remove the filter ${name}` });
  await remove('traces').waitFor();
  expect(address(one.page)).toEqual([[], []]);
  await one.page.getByRole('button', { name: 'Add chart' }).click();
  await one.page.getByLabel('Name').fill('slow, or odd');
  await one.page.getByRole('button', { name: 'condition', exact: true }).last().click();
  await one.page.getByLabel('Field 1').fill('Duration');
  await one.page.getByLabel('Comparison 1').selectOption('GreaterThan');
  await one.page.getByLabel('Value 1').fill('0.00:00:01');
  await one.page.getByRole('button', { name: 'Add', exact: true }).click();
  const chart = one.page.getByRole('region', { name: 'slow, or odd' });
  await chart.waitFor();
  expect(address(one.page)).toEqual([['slow%2C or odd|Request||||Duration~GreaterThan~0.00:00:01'], []]);
  await remove('traces').click();
  await remove('traces').waitFor({ state: 'detached' });
  await expect.poll(() => address(one.page)[1]!.length).toBe(4);
  const link = one.page.url();
  expect(await kept()).toEqual([['slow, or odd'], standard.slice(0, 4)]);

  // Back to each state before, and on again.
  await one.page.goBack();
  await remove('traces').waitFor();
  await expect.poll(kept).toEqual([['slow, or odd'], standard]);
  await one.page.goBack();
  await chart.waitFor({ state: 'detached' });
  await expect.poll(kept).toEqual([[], standard]);
  await one.page.goForward();
  await chart.waitFor();
  await expect.poll(kept).toEqual([['slow, or odd'], standard]);

  // A link has precedence, and pages that are open follow it; an address without takes what the portal has.
  const other = await reader(browser, portal.url, { expected: /400/ });
  await other.open(link.slice(portal.url.length));
  await expect.poll(kept).toEqual([['slow, or odd'], standard.slice(0, 4)]);
  await remove('traces').waitFor({ state: 'detached' });
  await expect.poll(() => one.page.url()).toBe(link);
  await other.open('/live');
  await expect.poll(() => other.page.url()).toBe(link);

  // No filters at all is another address than none.
  await other.open('/live?streams=none');
  await expect.poll(kept).toEqual([[], []]);
  await expect.poll(() => address(one.page)).toEqual([[], ['none']]);
  // The page names the part that it cannot use, and takes the portal's configuration into its address.
  await other.open('/live?streams=wrong|Request,Speed~Equal~1');
  await other.page.getByText(/Speed/).first().waitFor();
  await expect.poll(() => address(other.page)).toEqual([[], ['none']]);
  expect(await kept()).toEqual([[], []]);
  await one.close();
  await other.close();
  await portal.stop();
});

it('a server that falls silent is greyed and leaves its charts, and is gone when the portal has forgotten it', async () => {
  const one = await reader(browser, base, { expected: /Failed to load resource/ });
  const now = Math.floor(Date.now() / 1000);
  const server = (id: number, silentFor: number) => ({
    id, app: 'k', name: `host-${id}`, role: 'shop', machine: '', client: 'test', source: 'liveMetrics', isStale: silentFor >= 10, lastSeen: new Date((now - silentFor) * 1000).toISOString(),
    measuresProcess: true, appliesFilters: true, isQuotaReached: false, warnings: [], errors: [],
    rows: Array.from({ length: 50 }, (_, i) => [now - silentFor - 50 + i, 10 * id, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, {}]),
  });
  // A script of the portal's events over a minute, without the wait: each stream ends, and the page asks again.
  const told = [[server(1, 0), server(2, 0)], [server(1, 0), server(2, 10)], [server(1, 0), server(2, 59)], [server(1, 0)]];
  let at = 0;
  const isStream = (url: URL) => url.pathname === '/api/live';
  await one.page.route(isStream, (route) => {
    const servers = told[Math.min(at, told.length - 1)];
    const configuration = { charts: [], streams: [] };
    const event = { time: new Date(now * 1000).toISOString(), servers, refused: 0, samples: [], skipped: 0, configuration, standard: configuration };
    return route.fulfill({ contentType: 'text/event-stream', body: `event: live\ndata: ${JSON.stringify(event)}\n\n` });
  });
  const next = async () => {
    at += 1;
    await one.page.waitForRequest((request) => isStream(new URL(request.url())));
  };
  const row = one.page.getByRole('row').filter({ hasText: 'host-2' });
  await one.open('/live');
  await row.getByRole('img', { name: 'connected' }).waitFor();
  await one.page.getByText('2 servers connected').waitFor();
  expect(most(await requests(one.page))).toBe(30);
  await next();
  await row.getByRole('img', { name: 'gone' }).waitFor();
  await one.page.getByText('1 server connected').waitFor();
  const grey = await row.evaluate((one) => getComputedStyle(one.querySelector('td:last-child')!).color);
  expect(grey).not.toBe(await one.page.getByRole('row').filter({ hasText: 'host-1' }).evaluate((one) => getComputedStyle(one.querySelector('td:last-child')!).color));
  // Its past stays as long as it is known.
  expect(most(await requests(one.page))).toBe(30);
  await next();
  await row.getByRole('img', { name: 'gone' }).waitFor();
  await next();
  await row.waitFor({ state: 'detached' });
  await expect.poll(async () => most(await requests(one.page))).toBe(10);
  await one.close();
});

it('everything is filtered to servers and roles: by a click on a server, and by Filter all', async () => {
  const one = await reader(browser, base);
  await one.open('/live');
  await watching(one.page);
  const param = (name: string) => new URL(one.page.url()).searchParams.getAll(name);
  const rows = one.page.locator('section[aria-labelledby="servers"] tbody tr');
  const connected = () => one.page.locator('.page-header .badge.ok').textContent();
  const name = `shop/${await rows.filter({ hasText: 'shop' }).locator('button.name').first().textContent()}`;
  await rows.filter({ hasText: 'shop' }).locator('button.name').first().click();
  await expect.poll(() => param('server')).toEqual([name]);
  await expect.poll(connected).toContain('1 server connected');
  await one.page.getByRole('button', { name: `Not only ${name}` }).click();
  await expect.poll(connected).toContain('3 servers connected');

  await one.page.keyboard.press('f');
  await one.page.keyboard.press('Enter');
  const panel = one.page.getByRole('dialog', { name: 'Filter all' });
  await panel.getByLabel('Find a role or server').fill('stock');
  await panel.getByRole('group', { name: 'Roles' }).getByRole('checkbox').click();
  await expect.poll(() => param('role')).toEqual(['stock']);
  await panel.getByLabel('Find a role or server').fill('');
  await panel.getByRole('group', { name: 'Roles' }).getByText('web').click();
  await expect.poll(connected).toContain('2 servers connected');
  await expect.poll(() => rows.count()).toBe(2);
  expect(await violations(one.page)).toEqual([]);
  await panel.getByRole('group', { name: 'Servers' }).getByText('shop').click();
  await expect.poll(() => param('server')).toEqual([name]);
  await panel.getByRole('button', { name: 'Show all' }).click();
  await expect.poll(() => [param('role'), param('server')]).toEqual([[], []]);
  await one.page.keyboard.press('Escape');
  await panel.waitFor({ state: 'detached' });
  await one.close();
});

it('looks back in the last hour by dragging and by keys, and Now follows again', async () => {
  const one = await reader(browser, base);
  await one.open('/live');
  await watching(one.page);
  const param = (name: string) => new URL(one.page.url()).searchParams.get(name);
  const history = one.page.getByRole('img', { name: /^History of requests/ });
  expect(await history.getAttribute('aria-label')).toMatch(/; run \d+ at \d/);
  const box = (await history.boundingBox())!;
  await one.page.mouse.move(box.x + box.width * 0.5, box.y + 30);
  await one.page.mouse.down();
  await one.page.mouse.move(box.x + box.width * 0.6, box.y + 30, { steps: 4 });
  await one.page.mouse.up();
  await expect.poll(() => Number(param('at'))).toBeGreaterThan(Date.now() / 1000 - 1800);
  expect(Number(param('at'))).toBeLessThan(Date.now() / 1000 - 1200);
  await one.page.getByRole('img', { name: /^Requests: no data/ }).waitFor();
  await one.page.getByRole('button', { name: 'Now' }).click();
  await expect.poll(() => param('at')).toBe(null);
  await history.focus();
  await one.page.keyboard.press('Home');
  await one.page.keyboard.press('Shift+ArrowRight');
  await one.page.keyboard.press('Enter');
  await expect.poll(() => Number(param('at'))).toBeLessThan(Date.now() / 1000 - 3500);
  await history.focus();
  await one.page.keyboard.press('Escape');
  await expect.poll(() => param('at')).toBe(null);
  await one.close();
});

it('a spike of failures leads to its transactions', async () => {
  const one = await reader(browser, base);
  await one.open('/live');
  await watching(one.page);
  await Promise.all(Array.from({ length: 40 }, async () => (await fetch(`${web}/products/404`)).text()));
  const spike = one.page.locator('.spike').first();
  await spike.getByRole('link', { name: /^\d+ (or more )?transactions$/ }).waitFor({ timeout: 20_000 });
  const said = async () => Number(/\d+/.exec((await spike.getByRole('link').textContent())!)?.[0]);
  await expect.poll(said, { timeout: 15_000 }).toBeGreaterThanOrEqual(40);
  const count = await said();
  await spike.getByRole('link').click();
  await one.page.waitForURL('**/transactions?**');
  const grid = one.page.getByRole('grid', { name: 'Operations' });
  await grid.getByText('404').first().waitFor();
  expect(Number(await grid.getAttribute('aria-rowcount')) - 1).toBeGreaterThanOrEqual(count);
  const { searchParams } = new URL(one.page.url());
  expect([searchParams.get('tab'), searchParams.get('f')]).toEqual(['operations', 'success~is~false']);
  expect(Date.parse(searchParams.get('to')!) - Date.parse(searchParams.get('from')!)).toBeLessThan(60_000);
  await one.close();
});

it('scrolling the samples pauses them alone', async () => {
  const one = await reader(browser, base);
  await one.open('/live');
  await watching(one.page);
  await Promise.all(Array.from({ length: 30 }, async () => (await fetch(`${web}/products/404`)).text()));
  const list = one.page.locator('.samples ol');
  await expect.poll(() => list.locator('li').count(), { timeout: 15_000 }).toBeGreaterThan(20);
  await list.evaluate((element) => element.scrollTo(0, 200));
  await one.page.locator('.samples').getByRole('button', { name: 'Follow' }).waitFor();
  expect(await one.page.locator('.page-header').getByRole('button', { name: 'Pause' }).getAttribute('aria-pressed')).toBe('false');
  const first = await list.locator('li').first().textContent();
  await (await fetch(`${web}/products/404`)).text();
  await one.page.locator('.samples').getByText(/paused, \d+ more/).waitFor({ timeout: 15_000 });
  expect(await list.locator('li').first().textContent()).toBe(first);
  await one.close();
});

it('a role that sends telemetry alone is drawn from it, and greyed when it is silent', async () => {
  const one = await reader(browser, base);
  await one.open('/live');
  await watching(one.page);
  const item = JSON.stringify({ name: 'x', time: new Date().toISOString(), iKey: '00000000-0000-0000-0000-000000000001', tags: { 'ai.cloud.role': 'edge', 'ai.cloud.roleInstance': 'edge-1' }, data: { baseType: 'RequestData', baseData: { ver: 2, id: 'e1', name: 'GET /edge', duration: '00:00:00.050', responseCode: '200', success: true } } });
  expect((await fetch(`${base}/v2.1/track`, { method: 'POST', body: item })).status).toBe(200);
  const row = one.page.getByRole('row').filter({ hasText: 'edge-1' });
  await row.getByText('from telemetry').waitFor({ timeout: 10_000 });
  await row.getByRole('img', { name: 'connected' }).waitFor();
  await row.getByRole('img', { name: 'gone' }).waitFor({ timeout: 30_000 });
  await one.close();
});

it('a button and a key read the current values out', async () => {
  const one = await reader(browser, base);
  await one.open('/live');
  await watching(one.page);
  const said = one.page.locator('[role="status"][aria-live="polite"]').last();
  await one.page.keyboard.press('v');
  await expect.poll(() => said.textContent()).toMatch(/^Requests [\d.]+ a second, .*memory .*, exceptions [\d.]+ a second$/);
  const button = one.page.getByRole('button', { name: 'Read out the current values' });
  await button.focus();
  expect((await button.boundingBox())!.y).toBeGreaterThan(0);
  await one.close();
});

it('the samples are a drawer at 1024 and a tab on a phone', async () => {
  const middle = await reader(browser, base, { width: 1024 });
  await middle.open('/live');
  await watching(middle.page);
  const samples = middle.page.getByRole('complementary', { name: 'Samples' });
  expect(await samples.isVisible()).toBe(false);
  await middle.page.getByRole('button', { name: 'Samples', exact: true }).click();
  await samples.waitFor();
  expect(new URL(middle.page.url()).searchParams.get('samples')).toBe('1');
  expect(await violations(middle.page)).toEqual([]);
  await middle.page.keyboard.press('Escape');
  await samples.waitFor({ state: 'hidden' });
  await middle.page.goBack();
  await samples.waitFor();
  await middle.page.getByRole('button', { name: 'Close the samples' }).click();
  await samples.waitFor({ state: 'hidden' });
  await middle.close();

  const phone = await reader(browser, base, { width: 390 });
  await phone.open('/live');
  await watching(phone.page);
  const figure = phone.page.getByRole('region', { name: 'Requests', exact: true });
  const box = (await figure.boundingBox())!;
  expect(box.height).toBeLessThanOrEqual(76);
  await phone.page.getByRole('tab', { name: /^Samples/ }).click();
  await phone.page.getByRole('heading', { name: 'Samples' }).waitFor();
  expect(await figure.isVisible()).toBe(false);
  expect(await violations(phone.page)).toEqual([]);
  await phone.page.getByRole('tab', { name: 'Charts' }).click();
  await figure.waitFor();
  await phone.close();
});

it('counts down to the next question of clients while none is there', async () => {
  const portal = await startPortal();
  const one = await reader(browser, portal.url);
  await one.open('/live');
  await one.page.getByText('Waiting for a server: clients ask every 5 s').waitFor();
  const left = async () => Number(/in (\d) s/.exec((await one.page.getByText(/All have asked again in/).textContent())!)?.[1]);
  const seen = new Set<number>();
  await expect.poll(async () => seen.add(await left()).size, { timeout: 15_000, interval: 100 }).toBe(5);
  expect([...seen].sort()).toEqual([1, 2, 3, 4, 5]);
  expect(await violations(one.page)).toEqual([]);
  await one.close();
  await portal.stop();
});

it('clients post only while the page is open', async () => {
  await expect.poll(async () => (await ask<Servers>(`${base}/api/live/servers`)).isWatched, { timeout: 15_000 }).toBe(false);
});

it('a hidden tab lets clients stop', async () => {
  const one = await reader(browser, base);
  await one.open('/live');
  await watching(one.page);
  const show = (state: string) => one.page.evaluate((value) => {
    Object.defineProperty(document, 'visibilityState', { value, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
  const isWatched = async () => (await ask<Servers>(`${base}/api/live/servers`)).isWatched;
  await show('hidden');
  await expect.poll(isWatched, { timeout: 15_000 }).toBe(false);
  await show('visible');
  await expect.poll(isWatched, { timeout: 15_000 }).toBe(true);
  await one.close();
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
