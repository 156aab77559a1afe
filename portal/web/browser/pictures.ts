// The pictures of the documentation: the demo's traffic of a few seconds, spread over half an hour as two runs.

import { mkdirSync } from 'node:fs';
import { expect, inject, it } from 'vitest';
import { ask, type Portal, startPortal, until, visit } from './programs';
import { join, reader } from './reader';

const folder = process.env['AZMON_PICTURES'] ?? 'pictures';
const LOGS = `// which operations are slow, and since when
requests
| where success == true
| summarize calls = sum(itemCount), p95 = percentile(duration, 95)
    by bin(timestamp, 1m), name
| where p95 > 10
| render timechart`;

interface Envelope {
  time: string;
  tags: Record<string, string>;
  data: { baseData: { success?: boolean } };
}

/** What the page of Live Metrics shows, in seconds. */
const LIVE_SECONDS = 60;

const MINUTE = 60_000;
const LENGTH = 29 * MINUTE;
/** Each transaction is sent so often. */
const COPIES = 4;
/** When the second run begins, as a share of the time. */
const SECOND_RUN = 0.45;
const CHUNK = 1000;

/** A portal whose items lie apart; the first run has a quarter of the failures. */
async function spread(source: string): Promise<Portal> {
  const portal = await startPortal('--otlp-grpc', '127.0.0.1:0', '--otlp-http', '127.0.0.1:0', '--opencensus', '127.0.0.1:0');
  const text = await (await fetch(`${source}/api/export?from=-1h`)).text();
  const transactions = new Map<string, Envelope[]>();
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const envelope = JSON.parse(line) as Envelope;
    const id = envelope.tags['ai.operation.id'] ?? '';
    transactions.set(id, [...(transactions.get(id) ?? []), envelope]);
  }
  transactions.delete('');
  const list = [...transactions.values()];
  const begin = Date.now() - LENGTH;
  const lines: string[] = [];
  for (let i = 0; i < list.length * COPIES; i += 1) {
    const copy = Math.floor(i / list.length);
    const share = i / (list.length * COPIES);
    const part = Math.min(0.999, Math.max(0, share + 0.03 * Math.sin(share * 40)));
    const items = list[(i * 7) % list.length]!;
    if (part < SECOND_RUN && i % COPIES !== 0 && items.some((one) => one.data.baseData.success === false)) continue;
    const shift = begin + part * LENGTH - Math.min(...items.map((one) => Date.parse(one.time)));
    for (const item of items) {
      const tags = { ...item.tags, 'ai.operation.id': `${item.tags['ai.operation.id']!.slice(0, -1)}${copy}`, 'ai.application.ver': part < SECOND_RUN ? '1.4.0' : '1.4.1' };
      lines.push(JSON.stringify({ ...item, tags, time: new Date(Date.parse(item.time) + shift).toISOString() }));
    }
  }
  lines.sort((a, b) => ((JSON.parse(a) as Envelope).time < (JSON.parse(b) as Envelope).time ? -1 : 1));
  for (let at = 0; at < lines.length; at += CHUNK) {
    const answer = await fetch(`${portal.url}/v2.1/track`, { method: 'POST', body: lines.slice(at, at + CHUNK).join('\n') });
    expect(answer.status).toBe(200);
  }
  await until('all items', async () => (await ask<{ items: number }>(`${portal.url}/api/stats`)).items >= lines.length);
  return portal;
}

it('pictures are taken of every page', async () => {
  mkdirSync(folder, { recursive: true });
  const portal = await spread(inject('portal'));
  const base = portal.url;
  const { transactions } = await ask<{ transactions: { operationId: string; roles: string[]; spans: number }[] }>(`${base}/api/transactions?limit=200`);
  const whole = transactions.filter((one) => one.roles.length >= 3).sort((a, b) => b.spans - a.spans)[0] ?? transactions[0];
  expect(whole).toBeDefined();
  const problems = await ask<{ problems: { id: number }[] }>(`${base}/api/problems`);
  const views: [string, string][] = [
    ['overview', '/'],
    ['map', '/map?sel=node:role:shop'],
    ['performance', '/performance?op=POST%20/checkout&of=web&dur=100..1000'],
    ['failures', `/failures?sel=${problems.problems[0]?.id}`],
    ['transactions', '/transactions'],
    ['users', '/transactions?tab=users'],
    ['transaction', `/transactions/${whole?.operationId}`],
    ['metrics', '/metrics'],
    ['logs', `/logs?q=${encodeURIComponent(LOGS)}`],
    ['doctor', '/doctor'],
    ['start', '/start'],
  ];
  const browser = await join();
  const looks = process.env['AZMON_PICTURES_ALL'] === undefined ? [{ name: '', width: 1440, theme: 'light' as const }] : [{ name: '', width: 1440, theme: 'light' as const }, { name: '-dark', width: 1440, theme: 'dark' as const }, { name: '-middle', width: 1024, theme: 'light' as const }, { name: '-narrow', width: 390, theme: 'light' as const }];
  for (const { name: suffix, width, theme } of looks) {
    for (const [name, path] of views) {
      const one = await reader(browser, base, { width, theme });
      // What matters of the overview stands on top.
      if (name === 'overview' && width === 1440) await one.page.setViewportSize({ width, height: 590 });
      await one.open(path);
      if (name === 'transaction' && width > 1280) {
        await one.page.keyboard.press('j');
        await one.page.keyboard.press('j');
        await one.page.getByText(/Against the other/).waitFor();
      }
      if (name === 'logs') await one.page.locator('.uplot canvas').first().waitFor();
      await one.page.screenshot({ path: `${folder}/${name}${suffix}.png` });
      await one.close();
    }
    // The services post while the page is open.
    const live = await reader(browser, inject('portal'), { width, theme });
    await live.open('/live');
    await live.page.getByText('3 servers connected').waitFor();
    for (let second = 0; second < LIVE_SECONDS; second += 1) {
      await Promise.all([visit(inject('web'), Math.round(14 + 6 * Math.sin(second / 5))), live.page.waitForTimeout(1_000)]);
    }
    await live.page.screenshot({ path: `${folder}/live${suffix}.png` });
    await live.close();
  }
  await browser.close();
  await portal.stop();
});
