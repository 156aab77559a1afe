// Interactions of the list of transactions, and of one transaction.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { ask, type Portal, startPortal, visit } from '../programs';
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

  it('operations are selected by keys, and Enter opens one', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/transactions?live=0&tab=operations');
    const grid = page.getByRole('grid', { name: 'Operations' });
    await page.keyboard.press('j');
    const first = param(page, 'sel');
    expect(first).toMatch(/^\w{32}$/);
    await page.keyboard.press('j');
    await expect.poll(() => param(page, 'sel')).not.toBe(first);
    expect(await selectedRow(grid).getAttribute('aria-rowindex')).toBe('3');
    const second = param(page, 'sel');
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/transactions/${second}*`);
    await page.goBack();
    await expect.poll(() => param(page, 'sel')).toBe(second);
    await page.keyboard.press('Escape');
    await expect.poll(() => param(page, 'sel')).toBeNull();
    await close();
  });

  it('users have the numbers of their items, which lead to them', async ({ expect }) => {
    const portal = await startPortal();
    const of = (user: string, session: string, ms: number, success = true) => {
      const one = JSON.parse(request('GET /a', { minutesAgo: 3, version: '1' }, ms, success)) as { tags: Record<string, string> };
      Object.assign(one.tags, user === '' ? {} : { 'ai.user.id': user }, { 'ai.session.id': session });
      return JSON.stringify(one);
    };
    await track(portal, [of('ann', 's1', 10), of('ann', 's2', 20), of('ann', 's2', 30, false), of('', 's9', 40), of('ben', 's3', 50)]);
    const { page, open, close } = await reader(browser, portal.url);
    await open('/transactions?live=0');
    await page.getByRole('tab', { name: 'Users' }).click();
    const grid = page.getByRole('grid', { name: 'Users' });
    const cells = async (user: string) => grid.getByRole('row').filter({ hasText: user }).getByRole('gridcell').allTextContents();
    await grid.getByRole('link', { name: 'ann' }).waitFor();
    // User, requests, failed, exceptions, sessions, items, roles.
    expect((await cells('ann')).slice(0, 7).map((text) => text.trim())).toEqual(['ann', '3', '1', '0', '2', '3', 'shop']);
    expect((await cells('s9'))[0]).toContain('session');
    const users = () => grid.locator('.line .mono').allTextContents();
    await grid.getByRole('button', { name: 'Requests' }).click();
    await expect.poll(() => param(page, 'sort')).toBe('requests');
    expect((await users())[0]).toBe('ann');
    await grid.getByRole('button', { name: 'User' }).click();
    await expect.poll(users).toEqual(['ann', 'ben', 's9']);
    await page.getByRole('button', { name: 'Following' }).waitFor({ state: 'detached' });
    await grid.getByRole('row').filter({ hasText: 'ann' }).getByRole('link', { name: '1', exact: true }).click();
    await expect.poll(() => [param(page, 'tab'), ...params(page, 'f'), ...params(page, 'kind')]).toEqual([null, 'user_Id~is~ann', 'success~is~false', 'request', 'pageView']);
    await expect.poll(() => page.getByRole('grid', { name: 'Items' }).getAttribute('aria-rowcount')).toBe('2');
    await page.goBack();
    await grid.getByRole('link', { name: 's9' }).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await expect.poll(() => param(page, 'sel')).toBe('session_Id/s9');
    await page.keyboard.press('Enter');
    await expect.poll(() => params(page, 'f')).toEqual(['session_Id~is~s9']);
    await open('/transactions?live=0&tab=users&kind=exception');
    await page.getByText('No users in this range').waitFor();
    await close();
    await portal.stop();
  });

  it('a view is saved, opened again and removed, and its search is a query in Logs', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/transactions?live=0&kind=request&f=resultCode~is~404&q=products');
    const [total] = (await page.getByRole('status').filter({ hasText: 'items' }).textContent())!.match(/\d+/)!;
    await page.getByRole('button', { name: 'Save view' }).click();
    await page.getByRole('dialog', { name: 'Save view' }).getByLabel('Name').fill('not found');
    await page.keyboard.press('Enter');
    await page.getByText('not found saved').first().waitFor();
    await page.getByRole('button', { name: 'Open in Logs' }).click();
    await page.waitForURL('**/logs?*');
    await page.locator('#logs-status').filter({ hasText: `${total} rows` }).waitFor();
    expect(await page.locator('.cm-content').textContent()).toContain('resultCode =~ "404"');
    await open('/transactions?live=0&tab=operations');
    await page.getByRole('button', { name: 'Views', exact: true }).click();
    await page.getByRole('menuitemradio', { name: 'not found' }).click();
    await expect.poll(() => [param(page, 'q'), ...params(page, 'f'), ...params(page, 'kind'), param(page, 'tab')]).toEqual(['products', 'resultCode~is~404', 'request', null]);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('not found');
    await page.getByRole('option', { name: /^not found/ }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Views: not found' }).click();
    await page.getByRole('menuitem', { name: 'Remove not found' }).click();
    await page.getByText('not found removed').first().waitFor();
    await page.getByRole('button', { name: /^Views/ }).waitFor({ state: 'detached' });
    await close();
  });

  it('of more than can be read a sample is shown, and the rest is counted', async ({ expect }) => {
    const portal = await startPortal();
    const { page, open, close } = await reader(browser, portal.url);
    await track(portal, [request('GET /first', { minutesAgo: 0, version: '1' }, 10)]);
    await open('/transactions?kind=request');
    await page.getByText('Following').first().waitFor();
    const grid = page.getByRole('grid', { name: 'Items' });
    await grid.getByText('GET /first').waitFor();
    const BURST = 400;
    await track(portal, Array.from({ length: BURST }, (_, i) => request(`GET /burst/${i}`, { minutesAgo: 0, version: '1' }, 10)));
    const said = page.getByText(/more arrived than can be read/);
    await said.waitFor();
    const skipped = async () => Number((await said.textContent())!.replaceAll(/\D/g, ''));
    const shown = async () => Number(await grid.getAttribute('aria-rowcount')) - 1;
    await expect.poll(async () => (await skipped()) + (await shown())).toBe(BURST + 1);
    expect(await shown()).toBeLessThanOrEqual(51);
    expect(await shown()).toBeGreaterThan(1);
    await close();
    await portal.stop();
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
