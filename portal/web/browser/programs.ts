// The real programs: the portal, and the demo's services that send it their telemetry.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const READY_MS = 30_000;

export interface Program {
  /** What follows the awaited words in its output. */
  said: string;
  stop: () => Promise<void>;
}

function path(variable: string): string {
  const value = process.env[variable];
  if (value === undefined || value === '') throw new Error(`${variable} is not set: run this through cargo xtask`);
  return value;
}

export function start(file: string, args: string[], awaited: string, env: Record<string, string> = {}): Promise<Program> {
  const child: ChildProcess = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${file} ${args.join(' ')} did not start`)), READY_MS);
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const at = line.indexOf(awaited);
      if (at < 0) return;
      clearTimeout(late);
      resolve({ said: line.slice(at + awaited.length).trim(), stop });
    });
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
  });
}

export interface Portal {
  url: string;
  connection: string;
  stop: () => Promise<void>;
}

export async function startPortal(...options: string[]): Promise<Portal> {
  const { said, stop } = await start(path('AZMON'), ['portal', '--listen', '127.0.0.1:0', ...options], 'APPLICATIONINSIGHTS_CONNECTION_STRING=');
  const url = /IngestionEndpoint=([^;]+)/.exec(said)?.[1]?.replace(/\/+$/, '');
  if (url === undefined) throw new Error(`no endpoint in ${said}`);
  return { url, connection: said, stop };
}

export interface Services {
  web: string;
  stop: () => Promise<void>;
}

export async function startServices(connection: string): Promise<Services> {
  const env = { APPLICATIONINSIGHTS_CONNECTION_STRING: connection, OTEL_SERVICE_NAME: '', OTEL_RESOURCE_ATTRIBUTES: '' };
  const file = path('AZMON_SERVICES');
  const stock = await start(file, ['stock'], ' listens on ', env);
  const shop = await start(file, ['shop', '--upstream', stock.said], ' listens on ', env);
  const web = await start(file, ['web', '--upstream', shop.said], ' listens on ', env);
  return {
    web: web.said,
    stop: async () => {
      for (const program of [web, shop, stock]) await program.stop();
    },
  };
}

/** Visitors, each of whom comes back for other sessions. */
const VISITORS = 12;

const ORDERS = ['tea', 'coffee', 'tea', 'silk', 'coffee', 'glass', 'tea', 'gold'];

/** Visits of the kinds that the demo has, a few at a time. */
export async function visit(web: string, count: number): Promise<void> {
  const one = async (i: number) => {
    const cookie = `visitor=v-${100 + (i % VISITORS)}; session=s-${100 + (i % VISITORS)}-${Math.floor(i / 60)}`;
    const article = ORDERS[i % ORDERS.length]!;
    const answer =
      i % 3 === 0
        ? await fetch(`${web}/checkout`, { method: 'POST', headers: { 'content-type': 'application/json', cookie }, body: JSON.stringify({ article, lines: article === 'silk' ? 18 : 6 }) })
        : await fetch(`${web}${['/', `/products/${1 + (i % 9)}`, '/products/404', `/products/${1 + (i % 9)}/photo`][i % 4]}`, { headers: { cookie } });
    await answer.text();
  };
  let next = 0;
  await Promise.all(
    Array.from({ length: 6 }, async () => {
      while (next < count) {
        next += 1;
        await one(next);
      }
    }),
  );
}

export async function ask<T>(url: string): Promise<T> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Waits until something holds. */
export async function until(what: string, holds: () => Promise<boolean>, most = 30_000): Promise<void> {
  const end = Date.now() + most;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
