// A reader in a browser, who notices every error, every report of the content security policy, and every request elsewhere.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: FLAGS });
}

export interface Look {
  width?: number;
  theme?: 'light' | 'dark';
  /** Errors that a test causes itself. */
  expected?: RegExp;
  scale?: number;
}

export interface Reader {
  page: Page;
  context: BrowserContext;
  /** Opens a page and waits until it has loaded what it shows. */
  open: (path: string) => Promise<void>;
  /** Fails if something went wrong meanwhile. */
  close: () => Promise<void>;
}

export async function reader(browser: Browser, base: string, { width = 1440, theme = 'light', expected, scale = 1 }: Look = {}): Promise<Reader> {
  const context = await browser.newContext({ viewport: { width, height: width < 700 ? 844 : 900 }, colorScheme: theme, deviceScaleFactor: scale, hasTouch: width < 700, permissions: ['clipboard-read', 'clipboard-write'] });
  const page = await context.newPage();
  const wrong: string[] = [];
  const note = (text: string) => {
    if (expected === undefined || !expected.test(text)) wrong.push(text);
  };
  page.on('pageerror', (error) => note(`page error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') note(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== new URL(base).origin && protocol !== 'blob:') note(`request to ${request.url()}`);
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
  });
  return {
    page,
    context,
    open: async (path) => {
      await page.goto(base + path);
      await page.locator('main h1').first().waitFor();
      await settle(page);
    },
    close: async () => {
      await context.close();
      expect(wrong).toEqual([]);
    },
  };
}

/** Waits until nothing is being loaded. */
export async function settle(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector('main [aria-busy="true"]') === null, undefined, { timeout: 15_000 });
  await page.waitForTimeout(150);
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds, one line for each element. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run: (context: Document, options: object) => Promise<{ violations: { id: string; nodes: { target: unknown[]; failureSummary?: string }[] }[] }> } };
    const result = await axe.run(document, { resultTypes: ['violations'] });
    return result.violations.flatMap((one) => one.nodes.slice(0, 3).map((node) => `${one.id}: ${String(node.target)} ${(node.failureSummary ?? '').split('\n').slice(1, 3).join(' ')}`));
  });
}
