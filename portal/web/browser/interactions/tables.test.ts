// Interactions that all tables and charts have.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { startPortal } from '../programs';
import { copied, join, reader, settle } from '../reader';
import { request, track } from '../story';
import { param, selectedRow } from './shared';

const base = inject('portal');
let browser: Browser;
beforeAll(async () => {
  browser = await join();
});
afterAll(() => browser.close());

describe.concurrent('tables and charts', () => {
  const ROWS = `/logs?q=${encodeURIComponent('range x from 1 to 400 step 1 | extend y = x * 2')}`;

  it('a table is walked by Home, End and pages, keeps few rows in the document, and copies a row', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open(ROWS);
    const grid = page.getByRole('grid', { name: 'Rows' });
    expect(await grid.getAttribute('aria-rowcount')).toBe('401');
    expect(await grid.getByRole('row').count()).toBeLessThan(80);
    await grid.getByRole('row').nth(1).click();
    await grid.getByRole('row').nth(1).focus();
    const at = async () => Number(await selectedRow(grid).getAttribute('aria-rowindex'));
    await page.keyboard.press('End');
    await expect.poll(at).toBe(401);
    await page.keyboard.press('PageUp');
    await expect.poll(at).toBeLessThan(398);
    await page.keyboard.press('Home');
    await expect.poll(at).toBe(2);
    await page.keyboard.press('ArrowDown');
    await expect.poll(at).toBe(3);
    await page.keyboard.press('Control+c');
    await page.getByText('Row copied').first().waitFor();
    expect(await copied(page)).toBe('2\t4');
    await close();
  });

  it('rows stay under the pointer, and say how many would move', async ({ expect }) => {
    const portal = await startPortal();
    await track(portal, [...Array.from({ length: 6 }, () => request('GET /a', { minutesAgo: 1, version: '1' }, 20)), request('GET /b', { minutesAgo: 1, version: '1' }, 20)]);
    const { page, open, close } = await reader(browser, portal.url);
    await open('/performance?sort=count');
    const grid = page.getByRole('grid', { name: 'operations by count' });
    const names = async () => (await grid.getByRole('row').allTextContents()).slice(2).map((text) => /GET \/./.exec(text)?.[0]);
    await expect.poll(names).toEqual(['GET /a', 'GET /b']);
    await grid.getByText('GET /b').hover();
    await track(portal, Array.from({ length: 20 }, () => request('GET /b', { minutesAgo: 1, version: '1' }, 20)));
    const pill = page.getByRole('button', { name: /rows? would move/ });
    await pill.waitFor({ timeout: 20_000 });
    expect(await names()).toEqual(['GET /a', 'GET /b']);
    await page.mouse.move(700, 4);
    await expect.poll(names).toEqual(['GET /b', 'GET /a']);
    expect(await pill.count()).toBe(0);
    await close();
    await portal.stop();
  });

  it('arrows move the cursor of a chart, and the cursors of a page are joined', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/?from=-5m');
    const [first, second] = [page.getByRole('img', { name: /^Requests/ }), page.getByRole('img', { name: /^Failed requests/ })];
    await first.focus();
    await page.keyboard.press('End');
    const tip = first.locator('.tip strong');
    const last = await tip.textContent();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => tip.textContent()).not.toBe(last);
    const box = (await first.boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + 40);
    const cursor = second.locator('.u-cursor-x');
    await expect.poll(() => cursor.evaluate((one) => Number(/translate\(([\d.]+)px/.exec((one as HTMLElement).style.transform)?.[1] ?? 0))).toBeGreaterThan(50);
    await close();
  });

  it('a double click in a chart gives the last relative range back', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/?from=-1h');
    const chart = page.getByRole('img', { name: /^Requests/ });
    const drag = async () => {
      const box = (await chart.boundingBox())!;
      await page.mouse.move(box.x + box.width * 0.6, box.y + 30);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.9, box.y + 30, { steps: 4 });
      await page.mouse.up();
    };
    await drag();
    await expect.poll(() => param(page, 'to')).toMatch(/Z$/);
    await settle(page);
    await chart.dblclick({ position: { x: 200, y: 40 } });
    await expect.poll(() => [param(page, 'from'), param(page, 'to')]).toEqual(['-1h', null]);
    await close();
  });

  it('a chart follows its range: what is dragged in it afterwards is of the new one', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/?from=-5m');
    await page.keyboard.press('t');
    await page.getByRole('button', { name: 'Last 6 h' }).click();
    await expect.poll(() => param(page, 'from')).toBe('-6h');
    await settle(page);
    const box = (await page.getByRole('img', { name: /^Requests/ }).boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.3, box.y + 30);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.8, box.y + 30, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => Date.parse(param(page, 'to') ?? '') - Date.parse(param(page, 'from') ?? '')).toBeGreaterThan(2 * 3_600_000);
    await close();
  });

  it('a chart is a table, a file, and opens in Metrics', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/');
    const card = page.getByRole('region', { name: 'Failed requests', exact: true });
    const menu = async (item: string) => {
      await card.getByRole('button', { name: 'Failed requests: more' }).click();
      await card.getByRole('menuitem', { name: item, exact: true }).click();
    };
    await menu('As table');
    await card.getByRole('region', { name: /^Failed requests/ }).getByRole('row').nth(2).waitFor();
    await menu('As chart');
    await card.getByRole('img', { name: /^Failed requests/ }).waitFor();
    const [file] = await Promise.all([page.waitForEvent('download'), menu('Save as CSV')]);
    expect(file.suggestedFilename()).toBe('failed-requests.csv');
    await menu('Open in Metrics');
    await page.waitForURL('**/metrics?**');
    await page.getByRole('region', { name: '1. Failed requests' }).waitFor();
    await close();
  });
});
