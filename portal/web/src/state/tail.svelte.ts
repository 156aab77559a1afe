// The items of a search, and those that arrive while it is open.

import type { Item, ItemPage } from '../api/types';
import { ApiProblem, get, type Parameters, url } from '../api/client';

/** How many rows a watched list keeps. */
const MOST = 2000;
const PAGE = 200;
/** How often arrivals are shown, in ms. */
const FLUSH = 250;

export class Tail {
  items = $state.raw<Item[]>([]);
  /** Arrived while the list was being read. */
  waiting = $state.raw<Item[]>([]);
  error = $state.raw<ApiProblem | undefined>(undefined);
  loading = $state(true);
  tookMs = $state(0);
  more = $state(false);
  /** Not shown because more arrived than can be read. */
  skipped = $state(0);
  /** Ids that arrived a moment ago. */
  fresh = $state.raw<ReadonlySet<number>>(new Set());
  isComplete = $state(true);
  #abort: AbortController | undefined;
  #source: EventSource | undefined;
  #buffer: Item[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked: Parameters[] = [];
  #older = false;
  held = false;

  /** Loads the newest, and watches if asked to. */
  async open(parameters: Parameters[], follow: boolean): Promise<void> {
    this.close();
    this.#asked = parameters;
    const abort = new AbortController();
    this.#abort = abort;
    this.loading = true;
    this.waiting = [];
    this.skipped = 0;
    try {
      const page = await get<ItemPage>(url('/api/items', ...parameters, { limit: PAGE }), abort.signal);
      this.items = page.items;
      this.more = page.more;
      this.tookMs = page.scope.tookMs;
      this.isComplete = page.scope.isComplete;
      this.error = undefined;
      if (follow && !abort.signal.aborted) this.#watch(parameters);
    } catch (error) {
      if (abort.signal.aborted) return;
      this.error = error instanceof ApiProblem ? error : new ApiProblem(0, 'Unreadable', String(error));
    } finally {
      if (this.#abort === abort) this.loading = false;
    }
  }

  #watch(parameters: Parameters[]): void {
    const source = new EventSource(url('/api/tail', ...parameters.map(({ from: _, to: __, run: ___, ...rest }) => rest)));
    this.#source = source;
    source.addEventListener('item', (event) => {
      this.#buffer.push(JSON.parse((event as MessageEvent<string>).data) as Item);
      this.#timer ??= setTimeout(() => this.#flush(), FLUSH);
    });
    source.addEventListener('skipped', (event) => (this.skipped += (JSON.parse((event as MessageEvent<string>).data) as { count: number }).count));
  }

  #flush(): void {
    this.#timer = undefined;
    const known = new Set([...this.items, ...this.waiting].map((item) => item.id));
    const arrived = this.#buffer.filter((item) => !known.has(item.id)).reverse();
    this.#buffer = [];
    if (arrived.length === 0) return;
    if (this.held) this.waiting = [...arrived, ...this.waiting].slice(0, MOST);
    else this.#show(arrived);
  }

  #show(arrived: Item[]): void {
    this.items = [...arrived, ...this.items].slice(0, MOST);
    const ids = new Set(arrived.map((item) => item.id));
    this.fresh = ids;
    setTimeout(() => {
      if (this.fresh === ids) this.fresh = new Set();
    }, 1000);
  }

  /** Shows the waiting items. */
  release(): void {
    this.held = false;
    const waited = this.waiting;
    this.waiting = [];
    if (waited.length > 0) this.#show(waited);
  }

  async older(): Promise<void> {
    const last = this.items.at(-1);
    if (!this.more || this.#older || last === undefined || this.items.length >= MOST) return;
    this.#older = true;
    const abort = this.#abort;
    try {
      const page = await get<ItemPage>(url('/api/items', ...this.#asked, { limit: PAGE, before: last.id }), abort?.signal);
      if (abort?.signal.aborted === true) return;
      const known = new Set(this.items.map((item) => item.id));
      this.items = [...this.items, ...page.items.filter((item) => !known.has(item.id))];
      this.more = page.more && page.items.length > 0;
    } catch {
      this.more = false; // The list ends here; a new search asks again.
    } finally {
      this.#older = false;
    }
  }

  close(): void {
    this.#abort?.abort();
    this.#source?.close();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#buffer = [];
  }
}
