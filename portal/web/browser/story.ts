// A portal with a short story of its own: two runs of a shop, the second with a new exception and seven databases.

import { ask, type Portal, startPortal, until } from './programs';

const KEY = '00000000-0000-0000-0000-000000000001';
const MINUTE = 60_000;
export const FAILED = '5af7651916cd43dd8448eb211c80319c';
/** Where the exception was thrown. */
export const SOURCE = '/home/me/shop/src/orders.rs';

interface Told {
  minutesAgo: number;
  version: string;
  operation: string;
  parent?: string;
  role?: string;
}

export function envelope(type: string, { minutesAgo, version, operation, parent, role = 'shop' }: Told, baseData: object): string {
  return JSON.stringify({
    name: 'x',
    time: new Date(Date.now() - minutesAgo * MINUTE).toISOString(),
    iKey: KEY,
    tags: { 'ai.cloud.role': role, 'ai.cloud.roleInstance': `${role}-1`, 'ai.application.ver': version, 'ai.operation.id': operation, ...(parent === undefined ? {} : { 'ai.operation.parentId': parent }) },
    data: { baseType: type, baseData: { ver: 2, ...baseData } },
  });
}

export function request(name: string, told: Omit<Told, 'operation'> & { operation?: string }, ms: number, success = true): string {
  const id = Math.random().toString(16).slice(2, 10).padEnd(16, '0');
  return envelope('RequestData', { operation: id.padEnd(32, '0'), ...told }, { id, name, duration: `00:00:00.${String(ms).padStart(3, '0')}0000`, responseCode: success ? '200' : '500', success });
}

export async function track(portal: Portal, lines: string[]): Promise<void> {
  const answer = await fetch(`${portal.url}/v2.1/track`, { method: 'POST', body: lines.join('\n') });
  if (answer.status !== 200) throw new Error(`track answered ${answer.status}: ${await answer.text()}`);
}

export async function startStory(): Promise<Portal> {
  const portal = await startPortal();
  const first = { minutesAgo: 20, version: '1.0' };
  const second = { minutesAgo: 4, version: '1.1' };
  await track(portal, Array.from({ length: 12 }, () => request('GET /a', first, 40)));
  await until('the first run', async () => (await ask<{ runs: unknown[] }>(`${portal.url}/api/runs`)).runs.length === 1);
  const root = { ...second, operation: FAILED };
  await track(portal, [
    ...Array.from({ length: 8 }, () => request('GET /a', second, 300)),
    envelope('RequestData', root, { id: 'r1', name: 'POST /b', duration: '00:00:00.900', responseCode: '500', success: false }),
    ...Array.from({ length: 7 }, (_, i) => envelope('RemoteDependencyData', { ...root, parent: 'r1' }, { id: `d${i}`, name: `SELECT ${i}`, type: 'SQL', target: `db-${i}`, duration: '00:00:00.020', success: true })),
    envelope('RemoteDependencyData', { ...root, parent: 'r1' }, { id: 'p1', name: 'POST /pay', type: 'HTTP', target: 'pay.example', duration: '00:00:00.500', resultCode: '504', success: false }),
    envelope('ExceptionData', { ...root, parent: 'r1' }, {
      problemId: 'OrderError at place',
      exceptions: [{ typeName: 'OrderError', message: 'payment failed', hasFullStack: true, parsedStack: [{ level: 0, method: 'shop::orders::place', assembly: 'shop', fileName: SOURCE, line: 142 }, { level: 1, method: 'acme_common::retry', assembly: 'acme', fileName: 'src/retry.rs', line: 7 }, { level: 2, method: 'tokio::runtime::run', assembly: 'tokio', line: 1 }] }],
    }),
    envelope('EventData', root, { name: 'order_lost', properties: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`key-${String(i).padStart(2, '0')}`, i === 0 ? `{"lines":[${Array.from({ length: 60 }, (_, n) => n).join(',')}]}` : `value ${i}`])) }),
  ]);
  await until('the second run', async () => (await ask<{ runs: unknown[] }>(`${portal.url}/api/runs`)).runs.length === 2);
  return portal;
}
