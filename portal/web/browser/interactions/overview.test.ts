// Interactions of the start, the overview and the doctor.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { type Portal, startPortal } from '../programs';
import { copied, join, reader } from '../reader';
import { envelope, FAILED, request, startStory, track } from '../story';
import { param } from './shared';

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

describe.concurrent('the start and the overview', () => {
  it('every chart is hatched before the oldest kept item, and says since when', async ({ expect }) => {
    const { page, open, close } = await reader(browser, story.url);
    // The story begins 20 minutes ago. Nothing was sent between its two runs.
    const places = { hatched: [0.04, 0.3], free: [0.4, 0.8] } as const;
    for (const [path, charts] of [['/', 4], ['/performance', 1], ['/failures?tab=operations', 1], ['/transactions', 1], ['/metrics?b=|requests/duration', 1]] as const) {
      await open(`${path}${path.includes('?') ? '&' : '?'}from=-30m`);
      const plots = page.locator('main .chart:has(.uplot)');
      await expect.poll(() => plots.count(), { message: path }).toBe(charts);
      for (const plot of await plots.all()) {
        expect(await plot.getAttribute('aria-label'), path).toMatch(/; kept since \d\d:\d\d/);
        const shares = await plot.evaluate((host, places) => {
          const canvas = host.querySelector('canvas')!;
          const [all, inner] = [canvas.getBoundingClientRect(), host.querySelector('.u-over')!.getBoundingClientRect()];
          // Lines of the axis are level, those of runs upright: a share of each place without them.
          const share = ([from, to]: readonly [number, number]) => {
            const [left, top] = [inner.left - all.left + inner.width * from, inner.top - all.top + 2];
            const [width, height] = [Math.floor(inner.width * (to - from)), Math.floor(inner.height - 4)];
            const { data } = canvas.getContext('2d')!.getImageData(Math.round(left), Math.round(top), width, height);
            const rows = Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => data[(y * width + x) * 4 + 3]!).filter((alpha) => alpha > 40).length / width);
            return rows.sort((a, b) => a - b)[Math.floor(height / 2)]!;
          };
          return { hatched: share(places.hatched), free: share(places.free) };
        }, places);
        expect(shares.hatched, path).toBeGreaterThan(0.08);
        expect(shares.free, path).toBeLessThan(0.02);
      }
    }
    await open('/?from=-10m');
    for (const plot of await page.locator('main .chart:has(.uplot)').all()) expect(await plot.getAttribute('aria-label')).not.toContain('kept since');
    await close();
  });

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
