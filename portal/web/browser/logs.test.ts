import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { ask } from './programs';
import { copied, join, reader, settle, violations } from './reader';

const base = inject('portal');
let browser: Browser;
beforeAll(async () => {
  browser = await join();
});
afterAll(() => browser.close());

const logs = (query: string, more = '') => `/logs?q=${encodeURIComponent(query)}${more}`;
const param = (url: string, name: string) => new URL(url).searchParams.get(name);
/** The browser logs an answer of 400 as an error. */
const REFUSED = /status of 400/;

describe.concurrent('the editor', () => {
  it('completes tables, operators, columns in scope and values, and runs by keys alone', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base, { expected: REFUSED });
    await open('/logs');
    const editor = page.getByRole('textbox', { name: 'Query in KQL' });
    await editor.focus();
    const options = page.locator('.cm-tooltip-autocomplete [role="option"]');
    await page.keyboard.type('requ');
    await options.filter({ hasText: /^requests/ }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.type(' | summ');
    await options.filter({ hasText: /^summarize/ }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.type(' slowest = max(dura');
    await options.filter({ hasText: /^duration/ }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.type(') by name | order by slow');
    await options.filter({ hasText: /^slowest\s*real/ }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Control+Enter');
    await page.getByRole('grid', { name: 'Rows' }).getByRole('row').nth(1).waitFor();
    expect(param(page.url(), 'q')).toContain('order by slowest');
    await page.getByText(/\d rows/).first().waitFor();
    await close();
  });

  it('underlines an error where it is, says it, and describes the editor by it', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base, { expected: REFUSED });
    await open(logs('requests\n| where nam == "x"'));
    const wavy = page.locator('.cm-lintRange-error');
    await wavy.waitFor();
    expect(await wavy.textContent()).toBe('nam');
    const said = page.locator('#logs-status');
    await said.getByText(/line 2, column 9/).waitFor();
    await said.getByText(/did you mean name\?/).waitFor();
    expect(await page.getByRole('textbox', { name: 'Query in KQL' }).getAttribute('aria-describedby')).toBe('logs-status');
    expect(await violations(page)).toEqual([]);
    await close();
  });

  it('knows the word in which two letters were exchanged', async () => {
    const { page, open, close } = await reader(browser, base, { expected: REFUSED });
    for (const [query, meant] of [['reuqests | take 1', 'requests'], ['requests | sumamrize count()', 'summarize'], ['requests | where nmae == "x"', 'name']] as const) {
      await open(logs(query));
      await page.locator('#logs-status').getByText(`did you mean ${meant}?`).waitFor();
    }
    await close();
  });

  it('holds Tab, until Escape lets it go on', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open(logs('requests | take 1'));
    await page.getByRole('textbox', { name: 'Query in KQL' }).focus();
    const inside = () => page.evaluate(() => document.activeElement?.hasAttribute('data-editor') === true);
    await page.keyboard.press('Tab');
    expect(await inside()).toBe(true);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
    expect(await inside()).toBe(false);
    await close();
  });

  it('is part of no other page', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await open('/failures');
    expect(asked.filter((path) => /Logs|Editor|codemirror/i.test(path))).toEqual([]);
    await page.keyboard.press('g');
    await page.keyboard.press('k');
    await page.getByRole('textbox', { name: 'Query in KQL' }).waitFor();
    expect(asked.some((path) => /Logs/.test(path))).toBe(true);
    await close();
  });
});

describe.concurrent('what is answered', () => {
  it('is sorted by its headers, and copied as CSV, JSON and Markdown in that order', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open(logs('requests | summarize n = sum(itemCount) by cloud_RoleName'));
    const grid = page.getByRole('grid', { name: 'Rows' });
    await grid.getByRole('button', { name: /cloud_RoleName/ }).click();
    await grid.getByRole('button', { name: /cloud_RoleName/ }).click();
    await page.locator('[aria-sort="ascending"]').waitFor();
    const rows = async (as: string) => {
      await page.getByRole('button', { name: 'Export' }).click();
      await page.getByRole('menuitem', { name: `Copy rows as ${as}` }).click();
      await page.getByText(`Rows copied as ${as}`).first().waitFor();
      return copied(page);
    };
    expect((await rows('CSV')).split('\r\n').map((row) => row.split(',')[0])).toEqual(['cloud_RoleName', 'shop', 'stock', 'web']);
    expect((JSON.parse(await rows('JSON')) as { cloud_RoleName: string }[]).map((row) => row.cloud_RoleName)).toEqual(['shop', 'stock', 'web']);
    expect((await rows('Markdown')).split('\n')[1]).toBe('| --- | --: |');
    await close();
  });

  it.for([
    ['timechart', 'requests | summarize sum(itemCount) by bin(timestamp, 1s), cloud_RoleName | render timechart', '.uplot canvas'],
    ['columnchart', 'requests | summarize sum(itemCount) by resultCode | render columnchart', '.bars.upright .column'],
    ['barchart', 'requests | summarize sum(itemCount) by resultCode | render barchart', '.bars .lying'],
    ['piechart', 'requests | summarize sum(itemCount) by resultCode | render piechart', '.pie svg path'],
    ['card', 'requests | summarize requests = sum(itemCount) | render card', '.drawn .key-number'],
  ] as const)('is drawn as %s', async ([, query, drawn], { expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open(logs(query));
    await page.locator(drawn).first().waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Table', exact: true }).click();
    await page.locator(drawn).first().waitFor({ state: 'detached' });
    expect(param(page.url(), 'view')).toBe('table');
    await close();
  });

  it('leads on: a row filters the query, unfolds, and opens its transaction', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open(logs('requests | where success == false | project name, operation_Id | take 5'));
    const grid = page.getByRole('grid', { name: 'Rows' });
    await grid.getByRole('row').nth(1).click();
    await grid.getByRole('button', { name: 'unfold' }).click();
    await grid.locator('dl').waitFor();
    await grid.getByRole('button', { name: 'filter' }).click();
    await page.waitForFunction(() => new URL(location.href).searchParams.get('q')?.includes('| where name == ') === true);
    await settle(page);
    await grid.getByRole('row').nth(1).click();
    await grid.getByRole('link', { name: 'transaction' }).click();
    await page.waitForURL('**/transactions/*');
    expect(new URL(page.url()).pathname).toMatch(/^\/transactions\/\w+/);
    await close();
  });

  it('says which range it has: that of the top bar, unless the query sets one', async () => {
    const { page, open, close } = await reader(browser, base);
    await open(logs('requests | count'));
    await page.getByText('Last 30 min, from the top bar').waitFor();
    await open(logs('requests | where timestamp > ago(1d) | count'));
    await page.getByText('time set in the query').waitFor();
    await close();
  });

  it('says rows, time, rows read, what was compared leniently, and what was cut', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    const status = page.locator('#logs-status');
    const total = (await ask<{ total: number }>(`${base}/api/facets?kind=request&from=-30m`)).total;
    expect(total).toBeGreaterThan(100);
    await open(logs('requests | where success == false or success == true | summarize dcount(name) by cloud_RoleName'));
    const read = async () => Number((await status.getByText(/rows read/).textContent())!.replaceAll(/\D/g, ''));
    await status.getByText('3 rows', { exact: true }).waitFor();
    expect(await read()).toBeGreaterThanOrEqual(total);
    await status.getByText(/\d ms|\d s/).first().waitFor();
    await status.getByText(/compared leniently/).waitFor();
    await open(logs('requests | where operation_Id == "none"'));
    await status.getByText('0 rows', { exact: true }).waitFor();
    expect(await read()).toBe(0);
    // The limit of an answer is half a million rows: its note is added to a real one.
    await page.route('**/v1/apps/*/query', async (route) => {
      const answer = await route.fetch();
      const cut = { code: 'PartialError', message: 'There were some errors when processing your query.', details: [{ code: 'E_LIMIT', message: 'the answer was cut after 500000 rows' }] };
      await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), error: cut } });
    });
    await open(logs('requests | take 3'));
    await status.getByText('the answer was cut after 500000 rows').waitFor();
    await status.locator('b.warn').getByText('3 rows').waitFor();
    await close();
  });

  it('has columns whose width is kept', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open(logs('requests | take 3'));
    const handle = page.getByRole('separator', { name: 'Width of timestamp' });
    await handle.focus();
    for (let i = 0; i < 5; i += 1) await page.keyboard.press('ArrowRight');
    const width = await handle.getAttribute('aria-valuenow');
    expect(Number(width)).toBeGreaterThan(100);
    await page.reload();
    await handle.waitFor();
    expect(await handle.getAttribute('aria-valuenow')).toBe(width);
    await close();
  });
});

describe.concurrent('queries', () => {
  it('every panel opens its own, with its range', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/?from=-5m');
    await page.getByRole('region', { name: 'Requests', exact: true }).getByRole('link', { name: 'KQL' }).click();
    await page.locator('.uplot canvas').first().waitFor();
    expect([param(page.url(), 'q')?.startsWith('requests'), param(page.url(), 'from')]).toEqual([true, '-5m']);
    await close();
  });

  it('are saved with a name, opened again, and removed; history has what was asked', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open(logs('traces | count'));
    await page.getByRole('button', { name: 'Save the query' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('How many logs');
    await page.keyboard.press('Enter');
    await page.getByText('Saved as How many logs').first().waitFor();
    const { saved } = await ask<{ saved: { name: string; value: string }[] }>(`${base}/api/saved/queries`);
    expect(saved.find((one) => one.name === 'How many logs')?.value).toBe('traces | count');
    await page.getByRole('tab', { name: 'Queries' }).click();
    await page.getByRole('button', { name: 'Slowest operations' }).first().click();
    await page.getByRole('complementary', { name: 'Schema' }).getByRole('button', { name: 'How many logs', exact: true }).click();
    await page.waitForFunction(() => new URL(location.href).searchParams.get('q') === 'traces | count');
    await page.getByRole('button', { name: 'Remove How many logs' }).click();
    await page.getByText('Query removed').first().waitFor();
    await page.getByRole('tab', { name: 'History' }).click();
    await page.getByRole('list', { name: 'History' }).getByText('traces | count').waitFor();
    await close();
  });

  it('a long one is packed in the address and comes back', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    const long = `requests\n${Array.from({ length: 60 }, (_, i) => `| extend a_long_name_${i} = strcat(name, "${i}")`).join('\n')}\n| take 1`;
    await open('/logs');
    await page.getByRole('textbox', { name: 'Query in KQL' }).focus();
    await page.keyboard.insertText(long);
    await page.waitForFunction(() => new URL(location.href).searchParams.has('z'));
    expect(page.url().length).toBeLessThan(1500);
    await page.evaluate(() => localStorage.clear());
    await page.reload();
    await page.getByRole('textbox', { name: 'Query in KQL' }).getByText('a_long_name_59').waitFor();
    await close();
  });

  it('open in Azure once their resource is known, and are copied with the names of a workspace', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open(logs('requests | where timestamp > ago(1h) | take 1'));
    await page.getByRole('button', { name: 'Open in Azure' }).click();
    await page.getByLabel(/Resource id/).fill('https://portal.azure.com');
    await page.getByText('It is not the id of a component').waitFor();
    await page.getByLabel(/Resource id/).fill('/subscriptions/0-1/resourceGroups/rg/providers/microsoft.insights/components/shop');
    await page.keyboard.press('Enter');
    const link = page.getByRole('link', { name: 'Open in Azure' });
    await link.waitFor();
    expect(await link.getAttribute('href')).toMatch(/^https:\/\/portal\.azure\.com\/#blade\/.*components%2Fshop\/source\/.*\/q\//);
    await page.getByRole('button', { name: 'Export' }).click();
    await page.getByRole('menuitem', { name: 'Copy query for a workspace' }).click();
    await page.getByText('Query copied').first().waitFor();
    expect(await copied(page)).toBe('AppRequests | where TimeGenerated > ago(1h) | take 1');
    await close();
  });
});
