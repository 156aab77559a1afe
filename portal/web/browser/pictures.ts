// The pictures of the documentation, of the demo's traffic.

import { mkdirSync } from 'node:fs';
import { expect, inject, it } from 'vitest';
import { ask } from './programs';
import { join, reader } from './reader';

const folder = process.env['AZMON_PICTURES'] ?? 'pictures';

it('pictures are taken of every page', async () => {
  const base = inject('portal');
  mkdirSync(folder, { recursive: true });
  const { transactions } = await ask<{ transactions: { operationId: string; roles: string[]; spans: number }[] }>(`${base}/api/transactions?limit=200`);
  const whole = transactions.filter((one) => one.roles.length >= 3).sort((a, b) => b.spans - a.spans)[0] ?? transactions[0];
  expect(whole).toBeDefined();
  const problems = await ask<{ problems: { id: number }[] }>(`${base}/api/problems`);
  const views: [string, string][] = [
    ['overview', '/?from=-5m'],
    ['map', '/map?from=-5m&sel=node:role:shop'],
    ['performance', '/performance?from=-5m&op=POST%20/checkout&of=web'],
    ['failures', `/failures?from=-5m&sel=${problems.problems[0]?.id}`],
    ['transactions', '/transactions?from=-5m&live=0'],
    ['transaction', `/transactions/${whole?.operationId}`],
    ['metrics', '/metrics?from=-5m'],
    ['doctor', '/doctor?from=-5m'],
    ['start', '/start'],
  ];
  const browser = await join();
  for (const [name, path] of views) {
    const one = await reader(browser, base, { scale: 2 });
    await one.open(path);
    if (name === 'transaction') {
      await one.page.keyboard.press('j');
      await one.page.keyboard.press('j');
    }
    await one.page.waitForTimeout(600);
    await one.page.screenshot({ path: `${folder}/${name}.png` });
    await one.close();
  }
  await browser.close();
});
