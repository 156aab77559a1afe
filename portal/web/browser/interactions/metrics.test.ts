// Interactions of metrics.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { join, reader, settle } from '../reader';
import { param } from './shared';

const base = inject('portal');
let browser: Browser;
beforeAll(async () => {
  browser = await join();
});
afterAll(() => browser.close());

describe.concurrent('metrics', () => {
  it('are found and added, focused and removed by keys', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/metrics');
    const cards = page.locator('[data-card]');
    const count = await cards.count();
    await page.keyboard.press('f');
    await page.keyboard.type('exceptions');
    await page.keyboard.press('Enter');
    await expect.poll(() => cards.count()).toBe(count + 1);
    await page.getByRole('region', { name: '1. Exceptions' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('2');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-card'))).toBe('2');
    await page.keyboard.press('Delete');
    await expect.poll(() => cards.count()).toBe(count);
    await page.goBack();
    await expect.poll(() => cards.count()).toBe(count + 1);
    await close();
  });

  it('are drawn as lines, bars, areas, a heatmap and a table, with what is chosen of them', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open(`/metrics?b=${encodeURIComponent('|requests/duration|p95|role')}`);
    const card = page.locator('[data-card="1"]');
    const drawn = () => card.locator('.uplot canvas').evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
    await card.locator('.uplot canvas').waitFor();
    await page.keyboard.press('Space');
    await settle(page);
    const bright = await drawn();
    await card.locator('tbody tr').first().hover();
    await expect.poll(drawn).not.toBe(bright);
    await page.mouse.move(2, 2);
    await expect.poll(drawn).toBe(bright);
    await card.getByRole('button', { name: 'heatmap' }).click();
    await card.getByRole('img', { name: /^requests\/duration, p95 by role/ }).locator('canvas').waitFor();
    expect(await card.locator('.heat li').allTextContents()).toEqual(expect.arrayContaining(['shop', 'stock', 'web']));
    await card.locator('.heat canvas').hover();
    await expect.poll(() => card.locator('.heat .cut.grow').textContent()).toMatch(/^(shop|stock|web), \d/);
    await page.reload();
    await card.locator('.heat').waitFor();
    await card.getByRole('button', { name: 'table', exact: true }).click();
    await card.getByRole('region', { name: /^requests\/duration/ }).getByRole('columnheader', { name: 'Time' }).waitFor();
    await card.getByRole('button', { name: 'Show p95' }).click();
    await card.getByRole('menuitemradio', { name: 'max' }).click();
    await card.getByRole('button', { name: 'Filter the chart' }).click();
    await card.getByLabel('Dimension').selectOption('role');
    await card.getByLabel('is', { exact: true }).fill('web');
    await card.getByRole('button', { name: 'Add', exact: true }).click();
    await expect.poll(() => param(page, 'b')).toMatch(/\|max\|role\|\|table\|role~is~web$/);
    await card.getByRole('button', { name: 'Remove the filter' }).click();
    await close();
  });

  it('an exemplar opens its transaction', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open(`/metrics?from=-30m&b=${encodeURIComponent('|requests/duration|p95')}`);
    const chart = page.locator('[data-card="1"] .chart');
    await chart.focus();
    await page.keyboard.press('End');
    const tip = chart.locator('.tip');
    for (let i = 0; i < 400 && !(await tip.textContent())!.includes('exemplar'); i += 1) await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/transactions/*');
    expect(new URL(page.url()).pathname).toMatch(/^\/transactions\/\w{32}$/);
    await close();
  });

  it('a board is kept with its name', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    const board = '|dependencies/count|rate';
    await open(`/metrics?b=${encodeURIComponent(board)}`);
    await page.getByRole('button', { name: 'Save board' }).click();
    await page.getByRole('dialog', { name: 'Save board' }).getByLabel('Name').fill('calls');
    await page.keyboard.press('Enter');
    await page.getByText('Board calls saved').first().waitFor();
    await open('/metrics');
    await page.getByRole('button', { name: 'Boards' }).click();
    await page.getByRole('menuitem', { name: 'calls' }).click();
    await expect.poll(() => param(page, 'b')).toBe(board);
    await close();
  });
});
