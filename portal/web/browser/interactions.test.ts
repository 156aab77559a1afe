// Every interaction of the pages that the main paths (paths.test.ts) do not take, page by page.

import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { ask, type Portal, startPortal, visit } from './programs';
import { copied, join, reader, settle } from './reader';
import { envelope, FAILED, request, SOURCE, startStory, track } from './story';

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

const param = (page: Page, name: string) => new URL(page.url()).searchParams.get(name);
const params = (page: Page, name: string) => new URL(page.url()).searchParams.getAll(name);
const focused = (page: Page, selector: string) => page.evaluate((one) => document.activeElement?.closest(one) !== null && document.activeElement?.closest(one) !== undefined, selector);
/** Attributes of the row that is selected. */
const selectedRow = (grid: Locator) => grid.locator('[role="row"][aria-selected="true"]');

describe.concurrent('the frame', () => {
  it('g and a letter open each page, in the order of the rail', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/');
    const links = await page.getByRole('navigation', { name: 'Pages' }).locator('ul a').evaluateAll((all) => all.map((one) => (one as HTMLAnchorElement).pathname));
    expect(links).toHaveLength(9);
    for (const [i, key] of [...'omlpftxkd'].entries()) {
      // A page that is still busy may take the second key for one of its own.
      await expect.poll(async () => {
        await page.keyboard.press('Escape');
        await page.keyboard.press('g');
        await page.keyboard.press(key);
        return new URL(page.url()).pathname;
      }).toBe(links[i]);
    }
    await close();
  });

  it('/ searches, and a pasted id opens its transaction', async ({ expect }) => {
    const { transactions } = await ask<{ transactions: { operationId: string }[] }>(`${base}/api/transactions?limit=1`);
    const { page, open, close } = await reader(browser, base);
    await open('/map');
    await page.keyboard.press('/');
    await page.keyboard.type('priced');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/transactions?**');
    expect(param(page, 'q')).toBe('priced');
    await open('/map');
    await page.keyboard.press('/');
    await page.keyboard.insertText(transactions[0]!.operationId);
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/transactions/${transactions[0]!.operationId}*`);
    await close();
  });

  it("f focuses each page's own filter", async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    for (const [path, label] of [['/map', 'Find a node'], ['/performance', 'Filter operations'], ['/failures', 'Filter problems'], ['/metrics', 'Find a metric'], ['/logs', 'Find tables and columns']] as const) {
      await open(path);
      await page.keyboard.press('f');
      await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(label);
    }
    for (const [path, title] of [['/transactions', 'Add a filter'], ['/live', 'Filter all']] as const) {
      await open(path);
      await page.keyboard.press('f');
      await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('title'))).toBe(title);
    }
    await close();
  });

  it('Space pauses and follows again', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/');
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Paused' }).waitFor();
    expect(param(page, 'live')).toBe('0');
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Live', exact: true }).waitFor();
    expect(param(page, 'live')).toBeNull();
    await close();
  });

  it('Escape closes what is over the page, then the drawer, then clears the selection', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base, { width: 1024 });
    await open('/failures');
    await page.getByRole('grid', { name: 'Problems' }).getByRole('row').nth(1).click();
    const drawer = page.locator('aside.drawer.open');
    await drawer.waitFor();
    await page.keyboard.press('t');
    await page.getByRole('textbox', { name: 'From' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('textbox', { name: 'From' }).waitFor({ state: 'detached' });
    expect(await drawer.count()).toBe(1);
    await page.keyboard.press('Escape');
    await expect.poll(() => drawer.count()).toBe(0);
    expect(param(page, 'sel')).toMatch(/^\d+$/);
    await page.keyboard.press('Escape');
    await expect.poll(() => param(page, 'sel')).toBeNull();
    await close();
  });

  it('Enter moves into the detail and Escape back to the row; j and k leave the focus where it is', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/failures');
    const grid = page.getByRole('grid', { name: 'Problems' });
    await grid.getByRole('row').nth(1).focus();
    await page.locator('aside.drawer').waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    expect(await focused(page, '[role="row"]')).toBe(true);
    await page.keyboard.press('Enter');
    await expect.poll(() => focused(page, 'aside.drawer')).toBe(true);
    await page.keyboard.press('Escape');
    await expect.poll(() => focused(page, '[role="row"]')).toBe(true);
    expect(param(page, 'sel')).toMatch(/^\d+$/);
    await close();
  });

  it('tabs and selections are history, the order of rows is not', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/performance');
    await page.getByRole('tab', { name: /^Dependencies/ }).click();
    await settle(page);
    const header = page.getByRole('columnheader', { name: 'Count' });
    await header.getByRole('button').click();
    await expect.poll(() => header.getAttribute('aria-sort')).toBe('descending');
    await header.getByRole('button').click();
    await expect.poll(() => header.getAttribute('aria-sort')).toBe('ascending');
    expect([param(page, 'sort'), param(page, 'asc')]).toEqual(['count', '1']);
    await page.goBack();
    await expect.poll(() => [param(page, 'tab'), param(page, 'sort')]).toEqual([null, null]);
    await close();
  });

  it('the time range has presets, a clock of UTC, keeps the focus, and Escape restores it', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/');
    const button = page.locator('#time-range button').first();
    expect(await button.getAttribute('aria-label')).toBe('Time range: Last 30 min, live');
    await page.keyboard.press('t');
    const dialog = page.getByRole('dialog', { name: /^Time range/ });
    await dialog.getByLabel('From').fill('-7m');
    for (let i = 0; i < 15; i += 1) {
      await page.keyboard.press('Tab');
      expect(await focused(page, '#time-range [role="dialog"]')).toBe(true);
    }
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(param(page, 'from')).toBeNull();
    await page.keyboard.press('t');
    expect(await dialog.getByLabel('From').inputValue()).toBe('-30m');
    await dialog.getByRole('button', { name: 'UTC' }).click();
    expect(await dialog.getByRole('button', { name: 'UTC' }).getAttribute('aria-pressed')).toBe('true');
    await dialog.getByRole('button', { name: 'Last 1 h' }).click();
    await expect.poll(() => param(page, 'from')).toBe('-1h');
    await page.keyboard.press('t');
    await dialog.getByLabel('From').fill('yesterday 9:00');
    await page.keyboard.press('Enter');
    await expect.poll(() => param(page, 'from')).toMatch(/T09:00:00\.000Z$/);
    await close();
  });

  it('roles are chosen in the top bar, several at a time', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/');
    await page.getByRole('button', { name: /^Roles:/ }).click();
    await page.getByRole('menuitemcheckbox', { name: /^shop/ }).click();
    await page.getByRole('menuitemcheckbox', { name: /^web/ }).click();
    await expect.poll(() => params(page, 'role')).toEqual(['shop', 'web']);
    await page.getByRole('menuitem', { name: 'All roles' }).click();
    await expect.poll(() => params(page, 'role')).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /^Application:/ }).click();
    await page.getByRole('menuitemradio').filter({ hasText: '/s' }).first().waitFor();
    await close();
  });

  it('the title of the tab says what is new, where one is, and of which application', async ({ expect }) => {
    const { page, open, close } = await reader(browser, story.url);
    await open('/failures');
    await expect.poll(() => page.title()).toMatch(/^✕ 1 new · Failures · \S/);
    await page.getByRole('navigation', { name: 'Pages' }).getByText('1 new').waitFor();
    await close();
  });

  it('the palette is moved by arrows, puts what was used first, and keeps groups short', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/');
    const find = page.getByRole('combobox', { name: 'Find' });
    await page.keyboard.press('Control+k');
    await find.fill('dark');
    await page.getByRole('option', { name: /Dark theme/ }).waitFor();
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate(() => document.documentElement.classList.contains('dark'))).toBe(true);
    await page.keyboard.press('Control+k');
    await find.fill('doctor');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/doctor*');
    await page.keyboard.press('Control+k');
    const options = page.getByRole('option');
    await expect.poll(() => options.first().textContent()).toContain('Doctor');
    const sizes = await page.locator('#palette-list').evaluate((list) => {
      const counts: number[] = [];
      for (const one of list.children) {
        if (one.classList.contains('group')) counts.push(0);
        else counts[counts.length - 1]! += 1;
      }
      return counts;
    });
    expect(Math.max(...sizes)).toBeLessThanOrEqual(8);
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => options.nth(1).getAttribute('aria-selected')).toBe('true');
    await close();
  });

  it('a note goes after six seconds, unless it is being read', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await page.clock.install();
    await open('/');
    const note = page.locator('.toast').filter({ hasText: 'Link copied' });
    // On a busy machine a note may be gone before the pointer is there.
    await expect.poll(async () => {
      await page.keyboard.press('y');
      return note.last().hover({ timeout: 3000 }).then(() => true, () => false);
    }).toBe(true);
    await page.clock.runFor(20_000);
    expect(await note.count()).toBe(1);
    await page.mouse.move(2, 2);
    await page.clock.runFor(7_000);
    await expect.poll(() => note.count()).toBe(0);
    await close();
  });

  it('what failed is said in its card, with a way to try again; what is late dims the old', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base, { expected: /status of 500/ });
    let isBroken = true;
    let release: (() => void) | undefined;
    await page.route('**/api/problems?**', (route) => (isBroken ? route.fulfill({ status: 500, contentType: 'application/json', body: '{"error":{"code":"Broken","message":"The problems cannot be read"}}' }) : route.continue()));
    await open('/failures');
    const problems = page.getByRole('region', { name: 'Problems' });
    await problems.getByRole('alert').waitFor();
    await page.getByRole('region', { name: 'Top response codes' }).getByRole('button').first().waitFor();
    isBroken = false;
    await problems.getByRole('button', { name: 'Try again' }).click();
    await problems.getByRole('row').nth(1).waitFor();
    await page.route('**/api/failures?**', async (route) => {
      await new Promise<void>((resolve) => (release = resolve));
      await route.continue();
    });
    await page.getByRole('tab', { name: /^Operations/ }).click();
    await page.locator('.dimmed').first().waitFor();
    await expect.poll(() => release !== undefined).toBe(true);
    await page.unroute('**/api/failures?**');
    release?.();
    await expect.poll(() => page.locator('.dimmed').count()).toBe(0);
    await close();
  });

  it('nothing moves for a reader who wants no motion', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/');
    const moving = () => page.evaluate(() => document.getAnimations().length);
    await expect.poll(moving).toBeGreaterThan(0);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await expect.poll(moving).toBe(0);
    await close();
  });

  it('columns and the detail are as wide as they are dragged, until a double click', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/failures');
    await page.keyboard.press('j');
    const width = (selector: string) => page.locator(selector).first().evaluate((one) => Math.round(one.getBoundingClientRect().width));
    for (const [handle, sized, by] of [[page.getByRole('separator', { name: 'Width of the detail' }), 'aside.drawer', -60], [page.getByRole('separator', { name: 'Width of Role' }), '[role="columnheader"]:nth-child(2)', 60]] as const) {
      const before = await width(sized);
      const box = (await handle.boundingBox())!;
      await page.mouse.move(box.x + 2, box.y + 8);
      await page.mouse.down();
      await page.mouse.move(box.x + 2 + by, box.y + 8, { steps: 4 });
      await page.mouse.up();
      await expect.poll(() => width(sized)).toBe(before + 60);
      await handle.dblclick();
      await expect.poll(() => width(sized)).toBe(before);
    }
    await close();
  });

  it('a file is dropped on any page', async () => {
    const portal = await startPortal();
    const { page, open, close } = await reader(browser, portal.url);
    await open('/doctor');
    const item = envelope('EventData', { minutesAgo: 0, version: '1', operation: FAILED }, { name: 'dropped' });
    const files = await page.evaluateHandle((text) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text], 'b.ndjson'));
      return transfer;
    }, item);
    await page.dispatchEvent('body', 'dragenter', { dataTransfer: files });
    await page.getByText('Drop to open').waitFor();
    await page.dispatchEvent('body', 'drop', { dataTransfer: files });
    await page.getByText(/1 item of b\.ndjson taken/).waitFor();
    await page.getByText('Drop to open').waitFor({ state: 'detached' });
    await close();
    await portal.stop();
  });
});

describe.concurrent('on a phone', () => {
  it('the bar at the bottom has five pages, the menu the rest, all of a finger\'s size', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base, { width: 390 });
    await open('/');
    const bar = page.getByRole('navigation', { name: 'Main pages' });
    expect(await bar.getByRole('link').allTextContents().then((all) => all.map((one) => one.trim()))).toEqual(['Overview', 'Map', 'Live', 'Failures', 'Transactions']);
    for (const box of await bar.getByRole('link').all()) expect((await box.boundingBox())!.height).toBeGreaterThanOrEqual(44);
    await page.getByRole('button', { name: 'Menu' }).click();
    const menu = page.getByRole('dialog', { name: 'Menu' });
    for (const box of await menu.locator('a').all()) expect((await box.boundingBox())!.height).toBeGreaterThanOrEqual(44);
    await menu.getByRole('link', { name: 'Metrics', exact: true }).click();
    await page.waitForURL('**/metrics*');
    await close();
  });

  it('a detail is a sheet of 150 pixels that is pulled up', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base, { width: 390 });
    await open('/failures');
    await page.getByRole('grid', { name: 'Problems' }).getByRole('row').nth(1).click();
    const sheet = page.locator('aside.drawer.open');
    await sheet.waitFor();
    await settle(page);
    expect(Math.round((await sheet.boundingBox())!.height)).toBe(150);
    await sheet.getByRole('button', { name: 'Show all of the sheet' }).click();
    await expect.poll(async () => (await sheet.boundingBox())!.height).toBeGreaterThan(500);
    await close();
  });

  it('the map is a table first, and drawn when asked', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base, { width: 390 });
    await open('/map');
    await page.getByRole('region', { name: 'The map as tables' }).waitFor();
    expect(await page.locator('[data-node]').count()).toBe(0);
    await page.getByRole('button', { name: 'As map' }).click();
    await page.locator('[data-node="role:web"]').waitFor();
    await close();
  });

  it('facets are in a sheet', async ({ expect }) => {
    for (const width of [390, 1024]) {
      const { page, open, close } = await reader(browser, base, { width });
      await open('/transactions?live=0');
      await page.getByRole('button', { name: 'Facets' }).click();
      await page.getByRole('dialog', { name: 'Facets' }).getByRole('checkbox', { name: /Exception/ }).click();
      await expect.poll(() => params(page, 'kind')).toEqual(['exception']);
      await close();
    }
  });
});

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

describe.concurrent('the start and the overview', () => {
  it('has the copying focused, variants for shells, and keeps the language', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/start');
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent?.trim())).toBe('Copy');
    await page.keyboard.press('Enter');
    await page.getByText('Copied').first().waitFor();
    expect(await copied(page)).toMatch(/^APPLICATIONINSIGHTS_CONNECTION_STRING="InstrumentationKey=/);
    await page.getByRole('button', { name: 'PowerShell' }).click();
    await page.getByText('$env:APPLICATIONINSIGHTS').waitFor();
    await page.getByRole('tab', { name: 'Python' }).click();
    await page.reload();
    await expect.poll(() => page.getByRole('tab', { name: 'Python' }).getAttribute('aria-selected')).toBe('true');
    await page.getByText('configure_azure_monitor').first().waitFor();
    await close();
  });

  it('says what was refused, while nothing is kept', async () => {
    const portal = await startPortal();
    const { page, open, close } = await reader(browser, portal.url);
    await open('/');
    await page.getByText('Listening, nothing has arrived yet').waitFor();
    await fetch(`${portal.url}/v2.1/track`, { method: 'POST', body: 'no item' });
    await page.getByText('Something arrived and was refused').waitFor({ timeout: 15_000 });
    await close();
    await portal.stop();
  });

  it('says how to widen a range without requests, and what changed since the last run', async ({ expect }) => {
    const { page, open, close } = await reader(browser, story.url);
    await open('/?from=2020-01-01T00:00:00.000Z&to=2020-01-01T00:10:00.000Z');
    await page.getByText('No requests between').waitFor();
    await page.getByRole('link', { name: 'Widen to all kept' }).click();
    await expect.poll(() => [param(page, 'from'), param(page, 'to')]).toEqual(['all', null]);
    await page.getByText(/things? needs? a look/).first().waitFor();
    await page.getByRole('region', { name: 'Needs a look' }).getByRole('link').filter({ hasText: 'OrderError' }).click();
    await page.waitForURL('**/failures?**');
    await open('/');
    await page.getByRole('link', { name: 'Compare with run 1' }).click();
    await page.waitForURL('**/compare?**');
    await page.getByText(/1 new problem/).first().waitFor();
    await close();
  });
});

describe.concurrent('the map', () => {
  it('finds a node, shows only its neighbours, and filters edges', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/map');
    await page.keyboard.press('f');
    await page.keyboard.type('stock');
    await page.keyboard.press('Enter');
    await expect.poll(() => param(page, 'sel')).toMatch(/^node:.*stock/);
    const all = await page.locator('[data-node]').count();
    await page.locator('[data-node="role:stock"]').dblclick();
    await expect.poll(() => param(page, 'nf')).toBe('both:role:stock');
    await expect.poll(() => page.locator('[data-node]').count()).toBeLessThan(all);
    await page.getByRole('button', { name: 'Node filter', exact: true }).click();
    await page.getByRole('menuitemradio', { name: 'only this' }).click();
    await expect.poll(() => page.locator('[data-node]').count()).toBe(1);
    await page.getByRole('button', { name: 'Remove the node filter' }).click();
    await expect.poll(() => page.locator('[data-node]').count()).toBe(all);
    await page.getByRole('button', { name: 'Filter edges' }).click();
    await page.getByRole('menuitemradio', { name: 'only with errors' }).click();
    await expect.poll(() => param(page, 'ef')).toBe('errors');
    await expect.poll(() => page.locator('[data-node]').count()).toBeLessThan(all);
    await page.locator('button.label').first().click();
    await expect.poll(() => param(page, 'sel')).toMatch(/^edge:/);
    await page.getByRole('complementary', { name: 'Edge' }).getByText('Distribution of durations').waitFor();
    await close();
  });

  it('shows another statistic, counts, and both as a table', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/map');
    const node = page.locator('[data-node="role:web"]');
    await expect.poll(() => node.textContent()).toContain('p95');
    await page.getByRole('button', { name: 'p99', exact: true }).click();
    await expect.poll(() => node.textContent()).toContain('p99');
    await page.getByRole('button', { name: 'Count', exact: true }).click();
    await expect.poll(() => node.textContent()).not.toContain('/s');
    await page.getByRole('button', { name: 'As table' }).click();
    await page.getByRole('region', { name: 'The map as tables' }).getByRole('columnheader', { name: 'p99', exact: true }).first().waitFor();
    expect([param(page, 'stat'), param(page, 'as'), param(page, 'table')]).toEqual(['p99', 'count', '1']);
    await close();
  });

  it('is zoomed by keys, buttons and the wheel, moved by dragging, and the address keeps it', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/map');
    const world = page.locator('.canvas .world');
    const scale = () => world.evaluate((one) => new DOMMatrix(getComputedStyle(one).transform).a);
    const whole = await scale();
    await page.keyboard.press('+');
    await expect.poll(scale).toBeGreaterThan(whole);
    await page.getByRole('button', { name: 'Zoom out' }).click();
    await page.keyboard.press('-');
    await expect.poll(scale).toBeLessThan(whole);
    const box = (await page.locator('.canvas').boundingBox())!;
    const free = { x: box.x + box.width * 0.3, y: box.y + box.height * 0.8 };
    await page.mouse.move(free.x, free.y);
    await page.mouse.wheel(0, -400);
    await expect.poll(() => param(page, 'z')).toMatch(/^[\d.]+,-?\d+,-?\d+$/);
    const before = param(page, 'z');
    await page.mouse.down();
    await page.mouse.move(free.x + 80, free.y + 30, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => param(page, 'z')).not.toBe(before);
    const [z, x] = param(page, 'z')!.split(',').map(Number);
    await page.reload();
    await page.locator('[data-node="role:web"]').waitFor();
    await expect.poll(async () => Math.abs((await scale()) - z!)).toBeLessThan(0.02);
    expect(await world.evaluate((one) => Math.round(new DOMMatrix(getComputedStyle(one).transform).e))).toBe(x);
    await page.keyboard.press('0');
    await expect.poll(() => param(page, 'z')).toBeNull();
    await expect.poll(scale).toBeCloseTo(whole, 1);
    await close();
  });

  it('a dragged node stays where it was put', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/map');
    const node = page.locator('[data-node="role:web"]');
    const place = () => node.evaluate((one) => (one as HTMLElement).style.transform);
    const before = await place();
    const box = (await node.boundingBox())!;
    await page.mouse.move(box.x + 20, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + 60, box.y + 90, { steps: 5 });
    await page.mouse.up();
    const after = await place();
    expect(after).not.toBe(before);
    await page.reload();
    await node.waitFor();
    await expect.poll(place).toBe(after);
    await page.getByRole('button', { name: 'Unpin all' }).click();
    await expect.poll(place).toBe(before);
    await close();
  });

  it('says how many edges fail, makes one of many alike, and shows what changed since a run', async ({ expect }) => {
    const { page, open, close } = await reader(browser, story.url);
    await open('/map?from=-10m');
    await expect.poll(() => page.locator('[role="status"][aria-live="polite"]').last().textContent()).toBe('1 edge fails');
    await page.getByRole('button').filter({ hasText: '7 × SQL' }).waitFor();
    await page.getByRole('button', { name: 'Diff with run 1' }).click();
    await expect.poll(() => param(page, 'vs')).toBe('1');
    await page.locator('path.edge.new').first().waitFor({ state: 'attached' });
    await close();
  });

  it('says why it is empty', async () => {
    const portal = await startPortal();
    await track(portal, [envelope('MessageData', { minutesAgo: 0, version: '1', operation: FAILED }, { message: 'alone' })]);
    const { page, open, close } = await reader(browser, portal.url);
    await open('/map');
    await page.getByText('Only traces and metrics so far').waitFor();
    await page.getByRole('main').getByRole('link', { name: 'Doctor' }).click();
    await page.waitForURL('**/doctor*');
    await close();
    await portal.stop();
  });
});

describe.concurrent('performance', () => {
  it('a range dragged over the distribution counts its samples and opens them; later ones are said', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/performance?op=POST%20/checkout&of=web');
    const picture = page.locator('.histogram').first().getByRole('img');
    await picture.scrollIntoViewIfNeeded();
    const box = (await picture.boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.3, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.9, box.y + 60, { steps: 5 });
    await page.mouse.up();
    await expect.poll(() => param(page, 'dur')).toMatch(/^[\d.]+\.\.[\d.]+$/);
    const said = (await page.locator('.histogram .plate').first().textContent())!;
    expect(said).toMatch(/^[\d,.]+ samples$/);
    await page.getByText(/What is different in/).waitFor();
    await visit(web, 3);
    await page.getByText(/, newer exist/).waitFor({ timeout: 15_000 });
    await page.getByRole('slider', { name: 'Shortest duration' }).first().focus();
    const from = param(page, 'dur');
    await page.keyboard.press('Shift+ArrowLeft');
    await expect.poll(() => param(page, 'dur')).not.toBe(from);
    const count = (await page.locator('.histogram .plate').first().textContent())!;
    await page.getByRole('link', { name: `Open ${count.replace(/^1 samples/, '1 sample')}` }).click();
    await page.waitForURL('**/transactions?**');
    expect([param(page, 'op'), param(page, 'duration')?.split('..').length]).toEqual(['POST /checkout', 2]);
    await close();
  });

  it('square roots show small humps', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/performance?op=POST%20/checkout&of=web');
    const least = () => page.locator('.histogram').first().locator('rect:not(.range)').evaluateAll((all) => Math.min(...all.map((one) => Number(one.getAttribute('height')))));
    const before = await least();
    const root = page.getByRole('button', { name: 'Square root of the counts' }).first();
    await root.click();
    await expect.poll(least).toBeGreaterThan(before);
    expect(await root.getAttribute('aria-pressed')).toBe('true');
    await close();
  });

  it('rows are chosen by j, pinned by p, filtered by words; tabs and sides are in the address', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/performance');
    await page.keyboard.press('j');
    await expect.poll(() => param(page, 'op')).not.toBeNull();
    await page.keyboard.press('p');
    await expect.poll(() => params(page, 'pins').length).toBe(1);
    await page.keyboard.press('j');
    await page.getByRole('region', { name: /, duration$/ }).locator('.legend').getByText(/ p95$/).waitFor();
    await page.keyboard.press('f');
    await page.keyboard.type('checkout');
    await expect.poll(() => page.getByRole('grid').getByRole('row').count()).toBeLessThan(6);
    expect(param(page, 'q')).toBe('checkout');
    await open('/performance');
    await page.getByRole('button', { name: 'Browser' }).click();
    await page.getByText('No page views in this range').waitFor();
    expect(param(page, 'side')).toBe('browser');
    await page.getByRole('button', { name: 'Server' }).click();
    await page.getByRole('tab', { name: /^Roles/ }).click();
    await page.getByRole('grid').getByText('stock').first().waitFor();
    expect(param(page, 'tab')).toBe('roles');
    await close();
  });
});

describe.concurrent('failures', () => {
  it('are filtered by code, type and dependency, each again by its chip', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    await open('/failures?tab=operations');
    const codes = page.getByRole('region', { name: 'Top response codes' }).getByRole('button');
    await codes.first().click();
    await expect.poll(() => param(page, 'code')).not.toBeNull();
    expect(await codes.first().getAttribute('aria-pressed')).toBe('true');
    await page.getByText('Only with').waitFor();
    await page.getByRole('button', { name: /remove$/ }).click();
    await expect.poll(() => param(page, 'code')).toBeNull();
    await page.getByRole('region', { name: 'Top exception types' }).getByRole('button').first().click();
    await expect.poll(() => param(page, 'type')).not.toBeNull();
    await page.getByRole('region', { name: 'Top failed dependencies' }).getByRole('button').first().click();
    await expect.poll(() => param(page, 'dep')).not.toBeNull();
    await close();
  });

  it('what is new since the last run stands alone, is marked as known, and unmarked', async ({ expect }) => {
    const { page, open, close } = await reader(browser, story.url);
    await open('/failures');
    await page.getByRole('button', { name: 'New since run 1' }).click();
    await expect.poll(() => param(page, 'new')).toBe('1');
    const grid = page.getByRole('grid', { name: 'Problems' });
    await grid.getByText('new', { exact: true }).waitFor();
    await page.keyboard.press('j');
    const panel = page.getByRole('complementary', { name: /^Problem/ });
    await panel.getByRole('button', { name: /known/i }).click();
    await grid.getByText('known', { exact: true }).waitFor();
    await panel.getByRole('button', { name: /known/i }).click();
    await grid.getByText('known', { exact: true }).waitFor({ state: 'detached' });
    await close();
  });

  it('own frames come first and open in the editor; what is own can be narrowed', async ({ expect }) => {
    const { page, open, close } = await reader(browser, story.url);
    await open('/failures');
    await page.keyboard.press('j');
    const frame = page.locator('a[data-editor]').first();
    await frame.waitFor();
    expect(await frame.getAttribute('href')).toBe(`vscode://file${SOURCE}:142`);
    await page.evaluate(() => document.addEventListener('click', (event) => {
      const link = event.target instanceof Element ? event.target.closest('a[data-editor]') : null;
      if (link) Object.assign(window, { opened: (event.preventDefault(), link.getAttribute('href')) });
    }, true));
    await page.keyboard.press('e');
    expect(await page.evaluate(() => (window as unknown as { opened?: string }).opened)).toBe(`vscode://file${SOURCE}:142`);
    await page.getByText('acme_common::retry').first().waitFor();
    await page.getByRole('button', { name: 'Own code and editor' }).first().click();
    await page.getByLabel('Not own either').fill('acme_common::');
    await page.getByRole('button', { name: 'Done' }).click();
    const others = page.getByRole('button', { name: /2 frames of acme_common|2 frames of acme/ });
    await others.click();
    await page.getByText('acme_common::retry').first().waitFor();
    await page.getByRole('button', { name: 'Copy', exact: true }).first().click();
    await page.getByText('Stack copied').first().waitFor();
    expect(await copied(page)).toContain('OrderError: payment failed');
    await close();
  });

  it('says that there are none, and when the last was', async () => {
    const { page, open, close } = await reader(browser, story.url);
    await open('/failures?from=2020-01-01T00:00:00.000Z&to=2020-01-01T00:10:00.000Z');
    await page.getByText(/^No failures between/).waitFor();
    await page.getByText(/the last one kept/).waitFor();
    await close();
  });
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

describe.concurrent('logs', () => {
  it('older queries come with Alt and arrows, tabs are opened and closed', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    for (const query of ['print 1', 'print 2']) {
      await open(`/logs?q=${encodeURIComponent(query)}`);
      await page.locator('#logs-status').getByText('1 row', { exact: true }).waitFor();
    }
    const editor = page.getByRole('textbox', { name: 'Query in KQL' });
    await page.keyboard.press('e');
    await page.keyboard.press('Alt+ArrowUp');
    await page.keyboard.press('Alt+ArrowUp');
    await expect.poll(() => editor.textContent()).toBe('print 1');
    await page.keyboard.press('Alt+ArrowDown');
    await expect.poll(() => editor.textContent()).toBe('print 2');
    const tabs = page.getByRole('group', { name: 'Queries' }).locator('.tab');
    const count = await tabs.count();
    await page.getByRole('button', { name: 'New query' }).click();
    await expect.poll(() => tabs.count()).toBe(count + 1);
    await page.getByText('To begin with').waitFor();
    await page.getByRole('button', { name: /^Close / }).last().click();
    await expect.poll(() => tabs.count()).toBe(count);
    await close();
  });

  it('asks again every five seconds, and Escape cancels what takes long', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base);
    let asked = 0;
    let held = false;
    await page.route('**/v1/apps/*/query', async (route) => {
      asked += 1;
      if (held) await new Promise(() => undefined);
      await route.continue();
    });
    await open(`/logs?q=${encodeURIComponent('requests | count')}`);
    await page.getByRole('button', { name: 'again every 5 s' }).click();
    expect(param(page, 'again')).toBe('1');
    const before = asked;
    await expect.poll(() => asked, { timeout: 15_000 }).toBeGreaterThan(before + 1);
    await page.getByRole('button', { name: 'again every 5 s' }).click();
    held = true;
    await page.getByRole('button', { name: /^Run/ }).click();
    await page.getByRole('button', { name: 'Cancel', exact: true }).waitFor();
    await page.locator('h1').evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await page.keyboard.press('Escape');
    await page.getByText('The query was cancelled').first().waitFor();
    await page.getByRole('button', { name: /^Run/ }).waitFor();
    await close();
  });

  it('inserts what is clicked in the schema, with the names that were chosen', async ({ expect }) => {
    const { page, open, close } = await reader(browser, base, { expected: /status of 400/ });
    await open('/logs');
    await page.getByRole('button', { name: 'Workspace', exact: true }).click();
    expect(param(page, 'names')).toBe('workspace');
    const schema = page.getByRole('complementary', { name: 'Schema' });
    await schema.getByRole('button', { name: 'AppTraces', exact: true }).click();
    await expect.poll(() => page.getByRole('textbox', { name: 'Query in KQL' }).textContent()).toContain('AppTraces');
    await schema.getByLabel('Find tables and columns').fill('severity');
    await schema.getByRole('button', { name: /^SeverityLevel/ }).first().waitFor();
    await close();
    const middle = await reader(browser, base, { width: 1024 });
    await middle.open('/logs');
    await middle.page.getByRole('button', { name: 'Tables' }).click();
    await middle.page.getByRole('dialog', { name: 'Tables and queries' }).getByRole('button', { name: 'traces', exact: true }).click();
    await expect.poll(() => middle.page.getByRole('textbox', { name: 'Query in KQL' }).textContent()).toContain('traces');
    await middle.close();
  });
});

describe.concurrent('the doctor', () => {
  it('shows one kind, a finding with its fix, hides it here, and copies a report', async ({ expect }) => {
    const portal = await startPortal();
    await track(portal, [envelope('EventData', { minutesAgo: 0, version: '1', operation: FAILED, role: '' }, { name: 'n'.repeat(2000), properties: { long: 'v'.repeat(10_000) } }), request('GET /a', { minutesAgo: 0, version: '1', role: '' }, 10)]);
    const { page, open, close } = await reader(browser, portal.url);
    await open('/doctor');
    const grid = page.getByRole('grid', { name: 'Findings' });
    await grid.getByRole('row').nth(1).waitFor();
    const all = Number(await grid.getAttribute('aria-rowcount'));
    await page.keyboard.press('j');
    await expect.poll(() => param(page, 'sel')).not.toBeNull();
    const detail = page.locator('aside.drawer');
    await detail.getByText('Here and in Azure').waitFor();
    await detail.getByRole('button', { name: 'Ignore here' }).click();
    await expect.poll(async () => ((await grid.count()) === 0 ? 1 : Number(await grid.getAttribute('aria-rowcount')))).toBe(all - 1);
    await page.getByRole('button', { name: '1 ignored' }).click();
    await expect.poll(async () => Number(await grid.getAttribute('aria-rowcount'))).toBe(all);
    await page.getByRole('button', { name: 'Rejected' }).click();
    await expect.poll(() => param(page, 'kind')).toBe('rejected');
    await page.getByRole('button', { name: 'Copy report' }).click();
    await page.getByText('Report copied as Markdown').first().waitFor();
    expect(await copied(page)).toMatch(/^#/);
    await close();
    await portal.stop();
  });
});
