// Interactions of the frame: keys, the top bar, the palette, notes, and the bar and sheets of a phone.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { ask, type Portal, startPortal } from '../programs';
import { join, reader, settle } from '../reader';
import { envelope, FAILED, startStory } from '../story';
import { focused, param, params } from './shared';

const base = inject('portal');
let browser: Browser;
let story: Portal;
beforeAll(async () => {
  [browser, story] = await Promise.all([join(), startStory()]);
});
afterAll(async () => {
  await browser.close();
  await story.stop();
});

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
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').waitFor();
    const moving = () => page.evaluate(() => [...document.querySelectorAll('*')].filter((one) => getComputedStyle(one).animationName !== 'none').length);
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
