// Interactions of performance and failures.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { type Portal, visit } from '../programs';
import { copied, join, reader } from '../reader';
import { SOURCE, startStory } from '../story';
import { param, params } from './shared';

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
    // The address changes before what is shown.
    const samples = page.getByRole('link', { name: /^Open [\d,.]+ samples?$/ });
    const plate = page.locator('.histogram .plate').first();
    const counts = async () => (await Promise.all([samples.textContent(), plate.textContent()])).map((text) => /[\d,.]+/.exec(text!)![0]);
    await expect.poll(async () => new Set(await counts()).size).toBe(1);
    await samples.click();
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
