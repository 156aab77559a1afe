import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { ask, startPortal, until, visit } from './programs';
import { copied, join, reader, settle, violations } from './reader';

const base = inject('portal');
const web = inject('web');
let browser: Browser;
beforeAll(async () => {
  browser = await join();
});
afterAll(() => browser.close());

const query = (url: string) => new URL(url).searchParams;

describe.concurrent('with the keyboard alone', () => {
  it('from the overview to the line of code: failures, problem, transaction', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/');
    await page.keyboard.press('g');
    await page.keyboard.press('f');
    await page.waitForURL('**/failures*');
    await page.getByRole('grid', { name: 'Problems' }).waitFor();
    await page.keyboard.press('j');
    await page.locator('aside').getByText('It ends in').waitFor();
    expect(query(page.url()).get('sel')).toMatch(/^\d+$/);
    const first = page.url();
    await page.keyboard.press('j');
    await page.waitForFunction((url) => location.href !== url, first);
    await page.locator('aside .sample').first().focus();
    await page.keyboard.press('Enter');
    await page.waitForURL('**/transactions/*');
    await page.getByRole('treegrid').waitFor();
    await close();
  });

  it('the first Tab offers to skip to the content, and focus is always seen', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/');
    await page.keyboard.press('Tab');
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toContain('Skip');
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
    for (let i = 0; i < 12; i += 1) {
      await page.keyboard.press('Tab');
      const outline = await page.evaluate(() => {
        const one = document.activeElement;
        return one === null ? '' : getComputedStyle(one).outlineStyle + getComputedStyle(one.parentElement ?? one).outlineStyle;
      });
      expect(outline).toContain('solid');
    }
    await close();
  });

  it('the palette finds pages and operations, and a pasted id opens its transaction', async () => {
    const { transactions } = await ask<{ transactions: { operationId: string }[] }>(`${base}/api/transactions?limit=1`);
    const { page, open, close } = await reader(browser, base);
    await open('/');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Find' }).fill('check');
    await page.getByRole('option', { name: /POST \/checkout/ }).first().waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Find' }).fill(transactions[0]!.operationId);
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/transactions/${transactions[0]!.operationId}*`);
    await close();
  });

  it('all keys are on a sheet, and single ones can be switched off', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/');
    await page.keyboard.press('?');
    const sheet = page.getByRole('dialog', { name: 'Keys' });
    await sheet.getByText('Fold or open the rail').waitFor();
    await sheet.getByRole('checkbox').click();
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.keyboard.press('d');
    await settle(page);
    expect(new URL(page.url()).pathname).toBe('/');
    await close();
  });

  it('the map is walked along its edges', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/map');
    await page.locator('[data-node="role:web"]').focus();
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => query(page.url()).get('sel')).toBe('node:role:shop');
    await page.locator('aside').getByText('Calls, per request').waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => query(page.url()).get('sel')).toBeNull();
    await close();
  });
});

describe.concurrent('a transaction', () => {
  async function opened() {
    const { transactions } = await ask<{ transactions: { operationId: string; roles: string[] }[] }>(`${base}/api/transactions?q=${encodeURIComponent('reservation OR reservations')}&limit=20`);
    const whole = transactions.find((one) => one.roles.length === 3) ?? transactions[0]!;
    const one = await reader(browser, base);
    await one.open(`/transactions/${whole.operationId}`);
    return one;
  }

  it('joins both sides of a call, folds repeated queries, and adds the path up', async () => {
    const { page, close } = await opened();
    const grid = page.getByRole('treegrid');
    await grid.getByText('web → shop').first().waitFor();
    await grid.getByText('shop → stock').first().waitFor();
    await grid.getByText(/N\+1 ×\d+/).first().waitFor();
    await page.getByRole('region', { name: 'Where the time went' }).getByText(/uncovered time in/).first().waitFor();
    await close();
  });

  it('is walked, folded, zoomed and coloured by keys, and its address holds all of it', async ({ expect }) => {
    const { page, close } = await opened();
    const rows = () => page.getByRole('treegrid').getByRole('row').count();
    const all = await rows();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('ArrowLeft');
    await expect.poll(rows).toBeLessThan(all);
    await page.keyboard.press('ArrowRight');
    await expect.poll(rows).toBe(all);
    await page.keyboard.press('l');
    await page.keyboard.press('c');
    await page.keyboard.press('z');
    await expect.poll(() => [query(page.url()).get('logs'), query(page.url()).get('color'), query(page.url()).has('zoom'), query(page.url()).has('span')].join()).toBe('0,role,true,true');
    await page.reload();
    await page.getByRole('treegrid').waitFor();
    expect(await page.locator('[aria-selected="true"][role="row"]').count()).toBe(1);
    await page.keyboard.press('0');
    await expect.poll(() => query(page.url()).has('zoom')).toBe(false);
    await close();
  });

  it('is searched inside: hits are counted, and n goes from one to the next', async ({ expect }) => {
    const { page, close } = await opened();
    await page.keyboard.press('f');
    await page.keyboard.type('price');
    await page.getByRole('status').filter({ hasText: /of \d+/ }).waitFor();
    await page.locator('[role="treegrid"] mark').first().waitFor();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    expect(query(page.url()).get('q')).toBeNull();
    await close();
  });
});

describe.concurrent('transactions', () => {
  it('a facet becomes a filter, back takes it away, and rows unfold in place', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/transactions?live=0');
    await page.getByRole('checkbox', { name: /Exception/ }).click();
    await expect.poll(() => query(page.url()).getAll('kind')).toEqual(['exception']);
    await settle(page);
    await page.getByRole('grid', { name: 'Items' }).getByRole('row').nth(1).click();
    await page.getByRole('link', { name: 'Transaction', exact: true }).waitFor();
    expect(query(page.url()).get('sel')).toMatch(/^\d+$/);
    await page.goBack();
    await expect.poll(() => query(page.url()).getAll('kind')).toEqual([]);
    await close();
  });

  it('words are found and marked, and an empty answer says what emptied it', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/transactions?live=0');
    await page.getByRole('combobox', { name: 'Search' }).fill('priced');
    await page.locator('[role="grid"] mark').first().waitFor();
    expect(query(page.url()).get('q')).toBe('priced');
    await page.getByRole('combobox', { name: 'Search' }).fill('nothingislikethis');
    await page.getByText('Nothing matches').waitFor();
    await close();
  });

  it('follows what arrives, and counts it while a row is read', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/transactions?kind=request');
    const rows = page.getByRole('grid', { name: 'Items' }).getByRole('row');
    const newest = await rows.nth(1).textContent();
    await visit(web, 6);
    await expect.poll(() => rows.nth(1).textContent(), { timeout: 20_000 }).not.toBe(newest);
    await rows.nth(2).click();
    await page.getByRole('link', { name: 'Transaction', exact: true }).waitFor();
    await visit(web, 6);
    await page.getByRole('button', { name: /\d+ new/ }).waitFor({ timeout: 20_000 });
    await close();
  });
});

describe.concurrent('ranges and links', () => {
  it('dragging in a chart sets an absolute range and pauses; Live follows again', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/');
    const chart = page.getByRole('img', { name: /^Requests/ });
    const box = (await chart.boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.5, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.9, box.y + 20, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => query(page.url()).get('to')).toMatch(/Z$/);
    await page.getByRole('button', { name: 'Paused' }).click();
    await expect.poll(() => query(page.url()).get('to')).toBeNull();
    await close();
  });

  it('a typed range is understood or refused with an example', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/');
    await page.keyboard.press('t');
    await page.getByLabel('From').fill('soon');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('is not a moment').waitFor();
    await page.getByLabel('From').fill('-45m');
    await page.getByRole('button', { name: 'Apply' }).click();
    await expect.poll(() => query(page.url()).get('from')).toBe('-45m');
    await close();
  });

  it('a copied link holds moments instead of lengths of time', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/');
    await page.keyboard.press('y');
    await page.getByText('Link copied').first().waitFor();
    const link = await copied(page);
    expect(query(link).get('from')).toMatch(/^\d{4}-.*Z$/);
    await close();
  });
});

describe.concurrent('from a number to its cause', () => {
  it('a range of durations says what is different in it', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/performance?op=POST%20/checkout&of=web');
    const grip = page.getByRole('slider', { name: 'Shortest duration' });
    await grip.focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('PageUp');
    await expect.poll(() => query(page.url()).get('dur')).toMatch(/\.\./);
    await page.getByText(/What is different/).waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => query(page.url()).get('dur')).toBeNull();
    await close();
  });

  it('a metric is split by a dimension, and the board is in the address', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/metrics');
    const card = page.locator('[data-card="1"]');
    await card.getByRole('button', { name: /^Split by/ }).click();
    await card.getByRole('menuitemcheckbox').first().click();
    await expect.poll(() => query(page.url()).get('b') ?? '').not.toBe('');
    await page.reload();
    await page.locator('[data-card="1"] table').first().waitFor();
    await close();
  });

  it('every count in failures leads to the items behind it', async () => {
    const { page, open, close } = await reader(browser, base);
    await open('/failures?tab=operations');
    await page.keyboard.press('j');
    await page.getByRole('link', { name: /Open \d+ samples?/ }).click();
    await page.waitForURL('**/transactions?**');
    await page.getByRole('grid', { name: 'Operations' }).getByRole('row').nth(1).waitFor();
    await close();
  });
});

describe.concurrent('more than one', () => {
  it('a range dragged in a chart says what is different in it, and the whole range comes back', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/performance?from=-5m');
    const chart = page.getByRole('img', { name: /^Overall, duration/ });
    await chart.focus();
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft');
    for (let i = 0; i < 30; i += 1) await page.keyboard.press('Shift+ArrowLeft');
    await page.keyboard.press('Enter');
    const panel = page.getByRole('complementary', { name: 'What is different here' });
    await panel.getByText(/requests? against the other/).waitFor();
    expect(query(page.url()).get('within')).toMatch(/Z\/.*Z$/);
    expect(await violations(page)).toEqual([]);
    const [from] = query(page.url()).get('within')!.split('/');
    await panel.getByRole('button', { name: 'Show the whole range' }).click();
    await expect.poll(() => Date.parse(query(page.url()).get('from') ?? '')).toBe(Date.parse(from!));
    await panel.waitFor({ state: 'detached' });
    await close();
  });

  it('the chart of requests adds up to the number above it', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    const { from, to } = { from: new Date(Date.now() - 600_000).toISOString(), to: new Date().toISOString() };
    await open(`/?from=${from}&to=${to}`);
    const card = page.getByRole('region', { name: 'Requests', exact: true });
    const total = Number((await card.getByText(/ in 10 min/).textContent())!.replaceAll(/[^\d]* in .*|\D/g, ''));
    await page.getByRole('button', { name: 'Requests: more', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Copy as table' }).click();
    await page.getByText('Copied as a table').first().waitFor();
    const rows = (await copied(page)).split('\n').slice(1).map((row) => row.split('\t'));
    const step = (Date.parse(rows[1]![0]!) - Date.parse(rows[0]![0]!)) / 1000;
    const sum = rows.reduce((all, row) => all + Number(row[1]) * step, 0);
    expect(total).toBeGreaterThan(100);
    expect(Math.abs(sum - total)).toBeLessThan(total * 0.05);
    await close();
  });

  it('a chart is copied as a picture', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/');
    await page.getByRole('button', { name: 'Requests: more', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Copy as PNG' }).click();
    await page.getByText('Chart copied as PNG').first().waitFor();
    const size = await page.evaluate(async () => {
      const [item] = (window as unknown as { copiedItems: ClipboardItem[] }).copiedItems;
      const bitmap = await createImageBitmap(await item!.getType('image/png'));
      return [bitmap.width > 200, bitmap.height > 100];
    });
    expect(size).toEqual([true, true]);
    await close();
  });

  it('two transactions of one operation are laid beside each other', async ({ expect }) => {
    const { transactions } = await ask<{ transactions: { operationId: string; roles: string[] }[] }>(`${base}/api/transactions?op=${encodeURIComponent('POST /checkout')}&limit=20`);
    const { page, open, close } = await reader(browser, base);
    await open(`/transactions/${transactions[0]!.operationId}`);
    await page.getByRole('tab', { name: 'Compare' }).click();
    await page.getByLabel('Against').selectOption({ index: 1 });
    const rows = page.getByRole('region', { name: 'Both transactions' }).getByRole('row');
    await rows.nth(2).waitFor();
    expect(await rows.first().getByRole('columnheader').allTextContents()).toEqual(['Call', 'This', 'The other', 'Difference', 'Time']);
    expect(query(page.url()).get('against')).toMatch(/^\w+$/);
    expect(await violations(page)).toEqual([]);
    await close();
  });
});

describe.concurrent('the frame', () => {
  it('keeps the theme, and the rail as it was left', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/');
    await page.getByRole('button', { name: 'Theme' }).click();
    await page.getByRole('menuitemradio', { name: 'Dark' }).click();
    await page.keyboard.press('[');
    await page.reload();
    await page.locator('main h1').first().waitFor();
    expect(await page.evaluate(() => document.documentElement.classList.contains('dark'))).toBe(true);
    await page.getByRole('button', { name: 'Open the rail' }).waitFor();
    await close();
  });

  it('the detail keeps the width that keys gave it', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/failures');
    await page.keyboard.press('j');
    const edge = page.getByRole('separator', { name: 'Width of the detail' });
    const width = () => page.locator('aside.drawer').evaluate((drawer) => Math.round(drawer.getBoundingClientRect().width));
    await edge.focus();
    const before = await width();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(width).toBe(before + 16);
    await page.reload();
    await edge.waitFor();
    await expect.poll(width).toBe(before + 16);
    await close();
  });

  it('a detail is a drawer at 1024 and a sheet on a phone', async ({ expect }) => {
    for (const width of [1024, 390]) {
      const { page, open, close } = await reader(browser, base, { width });
      await open('/failures');
      await page.getByRole('grid', { name: 'Problems' }).getByRole('row').nth(1).click();
      if (width === 1024) await page.keyboard.press('Enter');
      await page.locator('aside.drawer.open').waitFor();
      await page.locator('aside.drawer').getByRole('button', { name: 'Close' }).click();
      await expect.poll(() => page.locator('aside.drawer.open').count()).toBe(0);
      await close();
    }
  });
});

describe.concurrent('a portal of its own', () => {
  it('the start becomes the overview with the first item, and a lost portal is said while data stays', async ({ expect }) => {
    const portal = await startPortal();
    const { page, open, close } = await reader(browser, portal.url, { expected: /Failed to load resource|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/ });
    await open('/');
    await page.getByText('Listening, nothing has arrived yet').waitFor();
    await page.getByRole('button', { name: 'Send a test item' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor({ timeout: 10_000 });
    await page.locator('td').getByText('test', { exact: true }).first().waitFor();
    await portal.stop();
    await page.getByText('The portal does not answer').first().waitFor({ timeout: 15_000 });
    expect(await page.locator('td').getByText('test', { exact: true }).first().isVisible()).toBe(true);
    await close();
  });

  it('a dropped file is taken', async () => {
    const portal = await startPortal();
    const { page, open, close } = await reader(browser, portal.url);
    await open('/');
    const item = JSON.stringify({ name: 'x', time: new Date().toISOString(), iKey: '00000000-0000-0000-0000-000000000001', data: { baseType: 'EventData', baseData: { ver: 2, name: 'dropped' } } });
    await page.locator('input[type="file"]').setInputFiles({ name: 'a.ndjson', mimeType: 'application/x-ndjson', buffer: Buffer.from(item) });
    await page.getByText(/1 item of a\.ndjson taken/).waitFor();
    await until('the item', async () => (await ask<{ items: unknown[] }>(`${portal.url}/api/items`)).items.length === 1);
    await close();
    await portal.stop();
  });
});
