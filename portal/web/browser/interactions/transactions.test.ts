// Interactions of the list of transactions, and of one transaction.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { ask, type Portal, visit } from '../programs';
import { copied, join, reader, settle } from '../reader';
import { request, startStory, track } from '../story';
import { focused, param, params, selectedRow } from './shared';

const base = inject('portal');
const web = inject('web');
let browser: Browser;
let story: Portal;
beforeAll(async () => {
  [browser, story] = await Promise.all([join(), startStory()]);
});
afterAll(async () => {
  await browser.close();
  await story.stop();
});

describe.concurrent('transactions', () => {
  it('a value is excluded with Alt or x, and counts are of the other filters', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/transactions?live=0');
    const roles = page.getByRole('region', { name: 'Role', exact: true }).getByRole('checkbox');
    await roles.filter({ hasText: 'stock' }).click({ modifiers: ['Alt'] });
    await expect.poll(() => params(page, 'f')).toEqual(['role~not~stock']);
    await roles.filter({ hasText: 'web' }).focus();
    await page.keyboard.press('x');
    await expect.poll(() => params(page, 'f')).toEqual(['role~not~stock', 'role~not~web']);
    const results = page.getByRole('region', { name: 'Result', exact: true }).getByRole('checkbox');
    await open('/transactions?live=0&kind=request');
    await expect.poll(() => results.count()).toBeGreaterThan(2);
    const all = await results.count();
    await results.filter({ hasText: '404' }).click();
    await expect.poll(() => params(page, 'f')).toEqual(['resultCode~is~404']);
    await settle(page);
    expect(await results.count()).toBe(all);
    await open('/transactions?live=0&kind=exception&role=shop');
    await page.getByRole('checkbox', { name: /^Request/ }).waitFor();
    await page.getByRole('checkbox', { name: /^web/ }).waitFor();
    expect(await page.getByRole('checkbox', { name: /^Exception/ }).getAttribute('aria-checked')).toBe('true');
    await close();
  });

  it('rows unfold and fold by arrows; their values filter, exclude and are copied', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/transactions?live=0&kind=request');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => param(page, 'sel')).toMatch(/^\d+$/);
    const grid = page.getByRole('grid', { name: 'Items' });
    expect(await selectedRow(grid).getAttribute('aria-rowindex')).toBe('2');
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => param(page, 'sel')).toBeNull();
    await page.keyboard.press('j');
    const tools = (name: string) => grid.getByRole('button', { name: new RegExp(`^${name} operation_Id`) });
    await tools('Copy').focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => copied(page)).toMatch(/^\w{32}$/);
    await tools('Only').focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => params(page, 'f')[0]).toMatch(/^operation_Id~is~\w{32}$/);
    await open('/transactions?live=0&kind=request');
    await page.keyboard.press('j');
    await tools('Not').focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => params(page, 'f')[0]).toMatch(/^operation_Id~not~\w{32}$/);
    await open('/transactions?live=0&kind=request');
    await page.keyboard.press('j');
    await page.getByRole('link', { name: '5 min around' }).click();
    await expect.poll(() => Date.parse(param(page, 'to') ?? '') - Date.parse(param(page, 'from') ?? '')).toBe(300_000);
    await close();
  });

  it('fields and values are suggested, and Backspace changes the last chip', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/transactions?live=0&f=resultCode~is~404');
    const field = page.getByRole('combobox', { name: 'Search' });
    await field.focus();
    await page.keyboard.type('resultC');
    await page.getByRole('option', { name: /^resultCode/ }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Tab');
    await expect.poll(() => field.inputValue()).toBe('resultCode:');
    await page.getByRole('option', { name: '404' }).waitFor();
    await page.keyboard.press('Escape');
    await field.fill('');
    await page.keyboard.press('Backspace');
    const form = page.getByRole('dialog', { name: 'Add a filter' });
    await form.waitFor();
    expect([await form.getByLabel('Field').inputValue(), await form.getByLabel('Value').inputValue()]).toEqual(['resultCode', '404']);
    await form.getByLabel('Value').fill('409');
    await form.getByRole('button', { name: 'Add', exact: true }).click();
    await expect.poll(() => params(page, 'f')).toEqual(['resultCode~is~409']);
    await page.getByRole('button', { name: /^Change the filter resultCode/ }).click();
    await form.getByLabel('Field').fill('duration');
    await form.getByRole('button', { name: '>', exact: true }).click();
    await form.getByLabel('Value').fill('soon');
    await form.getByRole('button', { name: 'Add', exact: true }).click();
    await form.getByRole('alert').getByText('not a duration').waitFor();
    await close();
  });

  it('scrolling down pauses and counts', async () => {
    const { page, open, close } = await reader(browser, base);
    await open('/transactions');
    await page.getByText('Following').first().waitFor();
    await page.getByRole('grid', { name: 'Items' }).evaluate((grid) => grid.scrollTo(0, 400));
    await visit(web, 3);
    const waiting = page.getByRole('button', { name: /\d+ new/ });
    await waiting.waitFor({ timeout: 20_000 });
    await waiting.click();
    await waiting.waitFor({ state: 'detached' });
    await close();
  });

  it('an empty answer says what each filter takes away', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/transactions?live=0&kind=request&f=resultCode~is~299');
    await page.getByRole('link', { name: /^without resultCode: [\d,.]+$/ }).click();
    await expect.poll(() => params(page, 'f')).toEqual([]);
    await page.getByRole('grid', { name: 'Items' }).getByRole('row').nth(1).waitFor();
    await close();
  });

  it('properties fold what is long, are found from fifteen on, and all are shown when asked', async ({ expect }) => {
    const { page, open, close } = await reader(browser, story.url);
    await open('/transactions?live=0&kind=customEvent');
    await page.keyboard.press('j');
    const detail = page.getByRole('grid', { name: 'Items' }).locator('.below');
    await detail.getByRole('button', { name: /^Show all \d+/ }).click();
    await detail.getByText('key-19').waitFor();
    await detail.getByLabel(/^Find in/).fill('key-1');
    await expect.poll(() => detail.locator('dt').count()).toBe(10);
    await detail.getByLabel(/^Find in/).fill('key-00');
    await detail.getByRole('button', { name: 'more' }).click();
    expect(await detail.locator('.value').first().textContent()).toContain('"lines": [');
    await close();
  });
});

describe.concurrent('a transaction', () => {
  async function whole() {
    const { transactions } = await ask<{ transactions: { operationId: string; roles: string[] }[] }>(`${base}/api/transactions?q=${encodeURIComponent('reservation OR reservations')}&limit=20`);
    const one = await reader(browser, base);
    await one.open(`/transactions/${(transactions.find((found) => found.roles.length === 3) ?? transactions[0]!).operationId}`);
    return one;
  }

  it('folds all, and its window is moved by keys, dragging and a double click', async ({ expect }) => {
    const { page, close } = await whole();
    const rows = () => page.getByRole('treegrid').getByRole('row').count();
    const all = await rows();
    await page.keyboard.press('Shift+ArrowLeft');
    await expect.poll(rows).toBeLessThan(all);
    await page.keyboard.press('Shift+ArrowRight');
    await expect.poll(rows).toBe(all);
    await page.getByRole('slider', { name: 'Begin of the window' }).focus();
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => param(page, 'zoom')).not.toBeNull();
    const canvas = page.locator('.minimap canvas');
    await canvas.dblclick();
    await expect.poll(() => param(page, 'zoom')).toBeNull();
    const box = (await canvas.boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.2, box.y + 10);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 10, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => param(page, 'zoom')).toMatch(/^[\d.]+\.\.[\d.]+$/);
    await close();
  });

  it('reads a row out, opens its detail with Enter, and shows what was sent and what is related', async ({ expect }) => {
    const { page, close } = await whole();
    const row = page.getByRole('treegrid').getByRole('row').first();
    expect(await row.textContent()).toMatch(/starts at .*takes .*(failed|succeeded)/);
    await row.focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => focused(page, 'aside.drawer')).toBe(true);
    const detail = page.locator('aside.drawer');
    await detail.getByText(/Against the other/).waitFor();
    await detail.getByRole('tab', { name: 'Raw' }).click();
    await detail.getByText('as it was sent').waitFor();
    await detail.getByRole('tab', { name: 'Related' }).click();
    await detail.getByRole('link', { name: 'Everything 5 min around' }).waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => focused(page, '[role="row"]')).toBe(true);
    await page.keyboard.press('ArrowDown');
    await page.locator('aside.drawer').getByRole('button', { name: 'Previous' }).click();
    await expect.poll(() => page.getByRole('treegrid').getByRole('row').first().getAttribute('aria-selected')).toBe('true');
    await close();
  });

  it('is shown as a sequence of one role, as a flame and as a map', async ({ expect }) => {
    const { page, close } = await whole();
    await page.getByRole('tab', { name: /^Sequence/ }).click();
    const grid = page.getByRole('grid', { name: 'All items by time' });
    const all = Number(await grid.getAttribute('aria-rowcount'));
    await page.getByRole('tabpanel').getByRole('button', { name: /^stock/ }).click();
    await expect.poll(async () => Number(await grid.getAttribute('aria-rowcount'))).toBeLessThan(all);
    expect(param(page, 'only')).toBe('stock');
    await page.getByRole('tab', { name: 'Flame' }).click();
    await page.locator('.flame button').nth(1).click();
    await expect.poll(() => param(page, 'span')).toMatch(/^c\d+$/);
    await page.locator('aside.drawer').waitFor();
    await page.getByRole('tab', { name: 'Map' }).click();
    await page.getByRole('group', { name: 'Roles of this transaction' }).getByRole('button').first().waitFor();
    expect(param(page, 'view')).toBe('map');
    await close();
  });

  it('hides the critical path and the logs, and goes back to a hit with N', async ({ expect }) => {
    const { page, close } = await whole();
    await page.getByRole('region', { name: 'Where the time went' }).getByRole('button').first().click();
    await expect.poll(() => param(page, 'span')).toMatch(/^[cn]\d+$/);
    await page.getByRole('button', { name: 'Critical path' }).click();
    await expect.poll(() => param(page, 'crit')).toBe('0');
    const rows = () => page.getByRole('treegrid').getByRole('row').count();
    const all = await rows();
    await page.getByRole('button', { name: 'Logs', exact: true }).click();
    await expect.poll(rows).toBeLessThan(all);
    await page.getByRole('button', { name: 'Logs', exact: true }).click();
    await page.keyboard.press('f');
    await page.keyboard.type('price');
    await page.getByRole('status').filter({ hasText: /of \d+/ }).waitFor();
    await page.locator('[role="treegrid"]').click({ position: { x: 5, y: 5 } });
    await page.keyboard.press('n');
    const first = param(page, 'span');
    await page.keyboard.press('n');
    await expect.poll(() => param(page, 'span')).not.toBe(first);
    await page.keyboard.press('N');
    await expect.poll(() => param(page, 'span')).toBe(first);
    await close();
  });

  it('that is not here is waited for, and says that it is being received', async () => {
    const { page, open, close } = await reader(browser, story.url, { expected: /404/ });
    const operation = '7af7651916cd43dd8448eb211c80319d';
    await open(`/transactions/${operation}`);
    await page.getByText('Not here').waitFor();
    await page.getByText(/kept since/).waitFor();
    await track(story, [request('GET /late', { minutesAgo: 0, version: '1.1', operation }, 10)]);
    await page.getByRole('heading', { name: 'GET /late' }).waitFor({ timeout: 15_000 });
    await page.getByText(/receiving, newest/).waitFor();
    await close();
  });
});
