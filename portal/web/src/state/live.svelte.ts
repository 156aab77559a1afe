// The stream of events: the rate, the stored data, the kinds of arriving items.

import type { Apps, ItemKind, Runs, Tick } from '../api/types';
import { get, url } from '../api/client';
import { parseTime } from '../lib/moment';
import { router } from './router.svelte';

/** Waits between attempts, in ms. */
const RETRY = [1000, 2000, 4000, 8000];

class Live {
  tick = $state.raw<Tick | null>(null);
  connected = $state(true);
  /** When the next attempt begins. */
  retryAt = $state(0);
  /** Grows whenever something arrived. */
  revision = $state(0);
  /** The server's time, a second at a time; the browser's until it is known. */
  now = $state(Date.now());
  apps = $state.raw<Apps['apps'] | null>(null);
  runs = $state.raw<Runs['runs']>([]);
  /** Frozen at the moment of pausing. */
  pausedAt = $state<number | null>(null);
  changed: ItemKind[] = [];
  #source: EventSource | null = null;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #app: string | null = null;
  #run = -1;

  /** Connects; again when another app is chosen. */
  start(app: string): void {
    if (this.#app === app && this.#source) return;
    this.#app = app;
    this.#open();
    void this.loadApps();
    void this.loadRuns();
  }

  retryNow(): void {
    clearTimeout(this.#timer);
    this.#open();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #open(): void {
    this.stop();
    const source = new EventSource(url('/api/events', { app: this.#app ?? '' }));
    this.#source = source;
    source.addEventListener('tick', (event) => this.#take(JSON.parse((event as MessageEvent<string>).data) as Tick));
    source.addEventListener('error', () => {
      this.connected = false;
      source.close();
      this.#source = null;
      const wait = RETRY[Math.min(this.#attempt, RETRY.length - 1)]!;
      this.#attempt += 1;
      this.retryAt = Date.now() + wait;
      this.#timer = setTimeout(() => this.#open(), wait);
    });
  }

  #take(tick: Tick): void {
    const first = this.tick === null || !this.connected;
    this.connected = true;
    this.#attempt = 0;
    const grew = this.tick !== null && tick.newestId !== this.tick.newestId;
    this.tick = tick;
    this.now = parseTime(tick.time);
    if (first || grew || tick.isDataDeleted || tick.changed.length > 0) {
      this.changed = tick.changed;
      this.revision += 1;
      if (this.apps === null || this.apps.length === 0 || tick.time.slice(17, 19) === '00') void this.loadApps();
    }
    if (tick.run !== this.#run) {
      this.#run = tick.run;
      void this.loadRuns();
      void this.loadApps();
    }
  }

  async loadApps(): Promise<void> {
    try {
      this.apps = (await get<Apps>('/api/apps')).apps;
    } catch {
      this.apps ??= null; // The rate shows that the portal does not answer; the menu is asked for again.
    }
  }

  async loadRuns(): Promise<void> {
    try {
      this.runs = (await get<Runs>(url('/api/runs', { app: this.#app ?? '' }))).runs;
    } catch {
      // As above: markers come with the answers of pages too.
    }
  }

  readonly isEmpty = $derived(this.tick !== null && this.tick.items === 0);
  readonly currentRun = $derived(this.runs.find((run) => run.isCurrent) ?? this.runs[0]);
  readonly previousRun = $derived(this.runs.find((run) => run.number < (this.currentRun?.number ?? 0)));
}

export const live = new Live();

/** The parameters of every ranged request. */
export function scope(): Record<string, string | readonly string[] | undefined> {
  const { app, role, from, to } = router.common;
  const range: Record<string, string | undefined> = {};
  if (from === 'run' && to === '') range['run'] = 'current';
  else {
    if (from !== 'all') range['from'] = from;
    range['to'] = to;
  }
  if (!router.following && to === '' && live.pausedAt !== null) range['to'] = new Date(live.pausedAt).toISOString();
  if (range['to'] && from.startsWith('-')) range['from'] = new Date(Date.parse(range['to']) - lengthOf(from)).toISOString();
  return { app, role, ...range };
}

function lengthOf(from: string): number {
  const unit = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[from.slice(-1)] ?? 60_000;
  return Number(from.slice(1, -1)) * unit;
}
