// The current path and query, and the functions that change them.

import { filters, type Filter, flag, read, type Schema, show, text, texts, write } from '../lib/url';
import { DEFAULT_RANGE, isRelative, type Range, rangeFrom, rangeTo } from '../lib/range';

/** Keys that every page shares. */
export interface Common {
  app: string;
  role: string[];
  from: string;
  to: string;
  live: boolean;
  vs: string;
  /** What a dragged range was chosen in, as `from/to`. */
  within: string;
  f: Filter[];
}

export const COMMON: Schema<Common> = { app: text(), role: texts(), from: rangeFrom, to: rangeTo, live: flag(true), vs: text(), within: text(), f: filters() };

/** Keys that stay when another page is opened. */
const KEPT = ['app', 'role', 'from', 'to', 'live'] as const;

type Go = { replace?: boolean };

class Router {
  path = $state(location.pathname);
  query = $state.raw(new URLSearchParams(location.search));
  /** Counts visits, so that a page can tell a new one from a change of its state. */
  visit = $state(0);
  readonly common = $derived(read(COMMON, this.query));
  readonly range: Range = $derived({ from: this.common.from, to: this.common.to });

  constructor() {
    window.addEventListener('popstate', () => this.#read(true));
    document.addEventListener('click', (event) => this.#click(event));
  }

  #read(isVisit: boolean): void {
    const before = this.path;
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
    if (isVisit && before !== this.path) this.visit += 1;
  }

  /** Opens an address of this site. */
  go(href: string, { replace = false }: Go = {}): void {
    const url = new URL(href, location.href);
    const isSame = url.pathname === location.pathname && url.search === location.search;
    if (replace || isSame) history.replaceState(null, '', url);
    else history.pushState(null, '', url);
    this.#read(true);
  }

  /** The URL of a page: the shared parameters stay, the others are given. */
  link(path: string, more: Record<string, string | string[] | undefined> = {}): string {
    const query = new URLSearchParams();
    for (const key of KEPT) for (const value of this.query.getAll(key)) query.append(key, value);
    for (const [key, value] of Object.entries(more)) {
      query.delete(key);
      for (const one of Array.isArray(value) ? value : value === undefined ? [] : [value]) query.append(key, one);
    }
    return path + show(query);
  }

  /** Changes keys of this page. Selection, tab, filter and range are history; sorting and typing replace. */
  set<S extends object>(schema: Schema<S>, changes: Partial<S>, go: Go = {}): void {
    this.go(location.pathname + show(write(schema, this.query, changes)), go);
  }

  setCommon(changes: Partial<Common>, go: Go = {}): void {
    this.set(COMMON, changes, go);
  }

  #lastRelative: string = DEFAULT_RANGE.from;

  /** An absolute range pauses; a relative one follows. */
  setRange(range: Range, within = ''): void {
    if (isRelative(this.range)) this.#lastRelative = this.common.from;
    this.setCommon({ ...range, live: true, within });
  }

  /** Follows again, with the last range that could. */
  follow(): void {
    this.setCommon({ ...(isRelative(this.range) ? {} : { from: this.#lastRelative, to: '' }), live: true, within: '' });
  }

  /** Whether the displayed range moves with time. */
  readonly following = $derived(this.common.live && isRelative(this.range));

  addFilter(filter: Filter): void {
    const others = this.common.f.filter((other) => other.field !== filter.field || other.op !== filter.op || other.value !== filter.value);
    this.setCommon({ f: [...others, filter] });
  }

  removeFilter(index: number): void {
    this.setCommon({ f: this.common.f.filter((_, i) => i !== index) });
  }

  #click(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
    if (!(link instanceof HTMLAnchorElement) || link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (link.hash !== '' && link.pathname === location.pathname) return;
    if (link.pathname.startsWith('/api/')) return;
    event.preventDefault();
    this.go(link.href);
  }
}

export const router = new Router();

/** The state of a page, read from the address and written to it. */
export function pageState<S extends object>(schema: Schema<S>) {
  const state = $derived(read(schema, router.query));
  return {
    get value(): S {
      return state;
    },
    set(changes: Partial<S>, go: Go = {}): void {
      router.set(schema, changes, go);
    },
  };
}
