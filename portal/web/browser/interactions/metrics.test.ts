// Interactions of metrics.

import { buffer } from 'node:stream/consumers';
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
    await page.getByText('calls saved').first().waitFor();
    await open('/metrics');
    await page.getByRole('button', { name: 'Boards', exact: true }).click();
    await page.getByRole('menuitemradio', { name: 'calls' }).click();
    await expect.poll(() => param(page, 'b')).toBe(board);
    await page.getByRole('button', { name: 'Boards: calls' }).click();
    await page.getByRole('menuitem', { name: 'Remove calls' }).click();
    await page.getByText('calls removed').first().waitFor();
    await page.getByRole('button', { name: 'Boards', exact: true }).waitFor();
    await close();
  });

  it('a board leaves as a file, and comes back', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    const board = '|requests/duration|p95|role|8|bar|role~not~web;|dependencies/count|rate';
    await open(`/metrics?b=${encodeURIComponent(board)}`);
    await page.getByRole('button', { name: 'Boards', exact: true }).click();
    const saved = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: 'Export the board' }).click();
    const file = await saved;
    expect(file.suggestedFilename()).toBe('board.json');
    const content = await buffer(await file.createReadStream());
    expect(JSON.parse(content.toString())).toMatchObject({ charts: [{ name: 'requests/duration', show: 'p95', split: ['role'], top: 8, kind: 'bar', filters: ['role~not~web'] }, { name: 'dependencies/count' }] });
    await open('/metrics');
    const choose = async (name: string, content: Buffer) => {
      await page.getByRole('button', { name: 'Boards', exact: true }).click();
      const chooser = page.waitForEvent('filechooser');
      await page.getByRole('menuitem', { name: 'Import a board…' }).click();
      await (await chooser).setFiles({ name, mimeType: 'application/json', buffer: content });
    };
    await choose('mine.json', content);
    await expect.poll(() => param(page, 'b')).toBe(board);
    await page.locator('[data-card="2"]').waitFor();
    await choose('other.json', Buffer.from('{"charts":7}'));
    await page.getByText('other.json is not the file of a board').first().waitFor();
    expect(param(page, 'b')).toBe(board);
    await close();
  });
});
