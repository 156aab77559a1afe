import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Portal, startPortal, until, ask } from './programs';
import { join, reader, violations } from './reader';

const MARKUP = '"><script>window.hit=1</script><img src=x onerror="window.hit=1"><svg onload=window.hit=1>{@html 1}{{1}}';
const LONG = 'n'.repeat(1000);
const BIDI = 'a\u202egnp.exe\u0000\u200b';
const OPERATION = '0af7651916cd43dd8448eb211c80319c';

let browser: Browser;
let portal: Portal;

function item(type: string, at: number, baseData: object, parent?: string): object {
  return {
    name: MARKUP,
    time: new Date(Date.now() - 20_000 + at).toISOString(),
    iKey: '00000000-0000-0000-0000-000000000001',
    tags: { 'ai.cloud.role': MARKUP, 'ai.cloud.roleInstance': BIDI, 'ai.operation.id': OPERATION, 'ai.operation.name': MARKUP, 'ai.user.id': MARKUP, 'ai.application.ver': LONG, ...(parent === undefined ? {} : { 'ai.operation.parentId': parent }) },
    data: { baseType: type, baseData: { ver: 2, properties: { [MARKUP]: MARKUP, json: `{"a":"${MARKUP.replaceAll('"', '\\"')}"}`, long: LONG.repeat(3) }, ...baseData } },
  };
}

beforeAll(async () => {
  browser = await join();
  portal = await startPortal();
  const items = [
    item('RequestData', 0, { id: 'r1', name: MARKUP, duration: '00:00:02', responseCode: MARKUP, success: false, url: `javascript:alert('${MARKUP}')` }),
    item('RemoteDependencyData', 100, { id: 'd1', name: MARKUP, type: MARKUP, target: MARKUP, data: MARKUP, resultCode: MARKUP, duration: '00:00:01', success: false }, 'r1'),
    item('RemoteDependencyData', 200, { id: 'd2', name: LONG, type: 'SQL', target: LONG, data: LONG, duration: '00:00:01', success: true }, 'r1'),
    item('MessageData', 300, { message: `${MARKUP}${BIDI}`, severityLevel: 3 }, 'r1'),
    item('ExceptionData', 400, { problemId: MARKUP, exceptions: [{ typeName: MARKUP, message: MARKUP, hasFullStack: true, parsedStack: [{ level: 0, method: MARKUP, assembly: MARKUP, fileName: `javascript:${MARKUP}`, line: 1 }] }] }, 'r1'),
    item('EventData', 500, { name: BIDI, measurements: { [MARKUP]: 1 } }, 'r1'),
    item('MetricData', 600, { metrics: [{ name: MARKUP, value: 3, count: 1 }] }),
    item('PageViewData', 700, { name: MARKUP, url: MARKUP, duration: '00:00:01' }),
  ];
  const answer = await fetch(`${portal.url}/v2.1/track`, { method: 'POST', headers: { 'content-type': 'application/x-json-stream' }, body: items.map((one) => JSON.stringify(one)).join('\n') });
  expect([200, 206]).toContain(answer.status);
  await until('hostile items', async () => (await ask<{ items: unknown[] }>(`${portal.url}/api/items`)).items.length >= 6);
});
afterAll(async () => {
  await browser.close();
  await portal.stop();
});

const encoded = encodeURIComponent(MARKUP);
const PATHS = [
  '/',
  '/map',
  `/map?sel=${encodeURIComponent(`node:role:${MARKUP}`)}&table=1`,
  `/map?sel=${encodeURIComponent(`node:role:${MARKUP}`)}`,
  '/performance',
  `/performance?op=${encoded}&of=${encoded}`,
  '/performance?tab=dependencies',
  '/failures',
  '/failures?sel=1',
  `/failures?tab=operations&sel=${encodeURIComponent(`${MARKUP}|${MARKUP}`)}`,
  '/failures?tab=dependencies',
  '/transactions',
  '/transactions?sel=1&live=0',
  '/transactions?sel=5&live=0',
  '/transactions?tab=operations',
  `/transactions?q=${encoded}&f=${encodeURIComponent(`${MARKUP.replaceAll('~', '')}~is~${MARKUP}`)}&role=${encoded}&op=${encoded}`,
  `/transactions/${OPERATION}`,
  `/transactions/${OPERATION}?span=2`,
  `/transactions/${OPERATION}?span=n5&view=sequence`,
  `/transactions/${OPERATION}?view=flame`,
  `/transactions/${OPERATION}?view=map`,
  `/transactions/${encoded}`,
  '/metrics',
  `/metrics?b=${encodeURIComponent(`${MARKUP}|x`)}`,
  `/logs?q=${encodeURIComponent('union * | take 50')}`,
  `/logs?q=${encodeURIComponent('requests | summarize count() by name | render piechart')}`,
  `/logs?q=${encoded}&names=${encoded}&view=${encoded}&sort=${encoded}`,
  '/doctor',
  '/compare',
  '/start',
  `/?from=${encoded}&to=${encoded}&app=${encoded}`,
];

it.concurrent.for(PATHS)('what was received stays text at %s', async (path, { expect }) => {
  const one = await reader(browser, portal.url, { expected: /status of 4\d\d/ });
  await one.open(path);
  const found = await one.page.evaluate(() => ({
    hit: 'hit' in window,
    images: document.querySelectorAll('main img, main script, main iframe').length,
    links: [...document.querySelectorAll('a[href]')].filter((link) => !/^(https?:|vscode:|blob:)/.test((link as HTMLAnchorElement).href)).map((link) => (link as HTMLAnchorElement).href),
    bidi: /[\u202a-\u202e\u2066-\u2069]/.test(document.body.innerText),
    wide: document.documentElement.scrollWidth > innerWidth,
  }));
  expect(found).toEqual({ hit: false, images: 0, links: [], bidi: false, wide: false });
  await one.close();
});

it('a page full of it is still accessible', async ({ expect }) => {
  const one = await reader(browser, portal.url);
  await one.open(`/transactions/${OPERATION}`);
  expect(await violations(one.page)).toEqual([]);
  await one.close();
});
