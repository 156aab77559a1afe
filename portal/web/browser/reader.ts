// A reader in a browser: a page that notices every error, every report of the content security policy, and every request elsewhere.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, type BrowserServer, chromium, type Page, type Request } from 'playwright-core';
import { expect, inject } from 'vitest';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** The one browser of a run. */
export function launch(): Promise<BrowserServer> {
  return chromium.launchServer({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: FLAGS });
}

/** Joins the browser that the run has launched. */
export function join(): Promise<Browser> {
  return chromium.connect(inject('browser'));
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
  const pending = new Set<Request>();
  loading.set(page, pending);
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== new URL(base).origin && protocol !== 'blob:') note(`request to ${request.url()}`);
    if (request.resourceType() !== 'eventsource') pending.add(request);
  });
  page.on('requestfinished', (request) => pending.delete(request));
  page.on('requestfailed', (request) => pending.delete(request));
  await page.addInitScript(() => {
    // All pages of a browser share one clipboard; what a page copies is kept in the page.
    Object.assign(navigator.clipboard, {
      writeText: async (text: string) => void Object.assign(window, { copiedText: text }),
      write: async (items: ClipboardItem[]) => void Object.assign(window, { copiedItems: items }),
    });
    document.addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
  });
  return {
    page,
    context,
    open: async (path) => {
      await page.goto(base + path);
      await page.locator('h1:visible').first().waitFor();
      await settle(page);
    },
    close: async () => {
      await context.close();
      expect(wrong).toEqual([]);
    },
  };
}

/** What a page is loading, beside streams of events. */
const loading = new WeakMap<Page, Set<Request>>();
const SETTLE_MS = 60_000;

/**
 * Waits until what is being asked is answered and shown, and nothing is dimmed or faded in. Twice: an answer may lead to the
 * next question. What a page asks again by itself meanwhile is not waited for.
 */
export async function settle(page: Page): Promise<void> {
  const end = Date.now() + SETTLE_MS;
  const isQuiet = () =>
    page.evaluate(async () => {
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      const moves = document.getAnimations().some((one) => one.playState === 'running' && one.effect?.getComputedTiming().iterations !== Infinity);
      return !moves && document.querySelector('main [aria-busy="true"]') === null && document.querySelector('main h1') !== null;
    });
  for (let round = 0; round < 2; round += 1) {
    const asked = [...(loading.get(page) ?? [])];
    for (;;) {
      const answered = asked.every((request) => !loading.get(page)?.has(request));
      if ((await isQuiet()) && answered) break;
      if (Date.now() > end) throw new Error(`${page.url()} does not come to rest`);
    }
  }
}

/** The text that a page copied last. */
export function copied(page: Page): Promise<string> {
  return page.evaluate(() => (window as unknown as { copiedText: string }).copiedText);
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds, one line for each element. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run: (context: object, options: object) => Promise<{ violations: { id: string; nodes: { target: unknown[]; failureSummary?: string }[] }[] }> } };
    // Late content is dimmed, with less contrast, until it has arrived.
    const result = await axe.run({ exclude: ['[aria-busy="true"]'] }, { resultTypes: ['violations'] });
    return result.violations.flatMap((one) => one.nodes.slice(0, 3).map((node) => `${one.id}: ${String(node.target)} ${(node.failureSummary ?? '').split('\n').slice(1, 3).join(' ')}`));
  });
}
