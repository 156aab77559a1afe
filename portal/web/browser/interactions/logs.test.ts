// Interactions of logs that logs.test.ts does not take.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { join, reader } from '../reader';
import { param } from './shared';

const base = inject('portal');
let browser: Browser;
beforeAll(async () => {
  browser = await join();
});
afterAll(() => browser.close());

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
