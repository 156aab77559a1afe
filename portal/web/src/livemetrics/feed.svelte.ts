// The stream of live metrics. As long as it is open, clients post.

import type { Live, LiveConfiguration, LiveSample } from '../api/types';
import { send, url } from '../api/client';
import { parseTime } from '../lib/moment';
import { merged, rowOf, type Shown } from './figures';

/** Samples that the page keeps. */
const MOST = 500;
/** Between two attempts to connect, in ms. */
const RETRY = 2000;

export class Feed {
  servers = $state.raw<Shown[]>([]);
  /** Newest first. */
  samples = $state.raw<LiveSample[]>([]);
  configuration = $state.raw<LiveConfiguration>({ charts: [], streams: [] });
  /** The configuration of a new portal; undefined until the portal has told it, and its own. */
  standard = $state.raw<LiveConfiguration | undefined>(undefined);
  /** The server's time; 0 until it is known. */
  now = $state(0);
  connected = $state(false);
  refused = $state(0);
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Configurations that were sent and are not answered yet. */
  #sent = 0;

  /** `onconfigured` is called for each configuration that another page has made, and for that at the start. */
  constructor(readonly onconfigured: (configuration: LiveConfiguration) => void) {}

  open(app: string): void {
    this.close();
    const source = new EventSource(url('/api/live', { app }));
    this.#source = source;
    let isFirst = true;
    source.addEventListener('live', (event) => {
      this.#take(JSON.parse((event as MessageEvent<string>).data) as Live, isFirst);
      isFirst = false;
    });
    source.addEventListener('error', () => {
      this.close();
      this.#timer = setTimeout(() => this.open(app), RETRY);
    });
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
    this.connected = false;
  }

  async configure(configuration: LiveConfiguration): Promise<void> {
    this.#sent += 1;
    try {
      this.configuration = await send<LiveConfiguration>('PUT', '/api/live/configuration', JSON.stringify(configuration));
    } finally {
      this.#sent -= 1;
    }
  }

  #take(told: Live, isFirst: boolean): void {
    const known = new Map(isFirst ? [] : this.servers.map((server) => [server.id, server.rows]));
    this.servers = told.servers.map((server) => ({ ...server, rows: merged(known.get(server.id) ?? [], server.rows.map(rowOf)) }));
    const before = isFirst ? [] : this.samples;
    if (isFirst || told.samples.length > 0) this.samples = [...told.samples.toReversed(), ...before].slice(0, MOST);
    if (told.standard !== null) this.standard = told.standard;
    if (told.configuration !== null && this.#sent === 0) {
      this.configuration = told.configuration;
      this.onconfigured(told.configuration);
    }
    this.now = parseTime(told.time);
    this.refused = told.refused;
    this.connected = true;
  }
}
