// Queries that are open, and those that were asked; kept in the browser.

import { loadSetting, saveSetting } from './settings.svelte';

export interface Tab {
  id: number;
  /** As it was saved; empty for a name made of the query. */
  title: string;
  query: string;
}

export interface Past {
  query: string;
  at: number;
  rows: number;
  error?: string;
}

const MOST_PAST = 50;
const MOST_TABS = 20;
/** Longer queries are not kept in the browser's storage. */
const MOST_KEPT = 20_000;

class Queries {
  tabs = $state.raw<Tab[]>(valid(loadSetting<Tab[]>('queries', [])));
  active = $state(0);
  past = $state.raw<Past[]>(loadSetting<Past[]>('asked', []));

  constructor() {
    if (this.tabs.length === 0) this.tabs = [{ id: 1, title: '', query: '' }];
    this.active = this.tabs.at(-1)!.id;
  }

  readonly current = $derived(this.tabs.find((tab) => tab.id === this.active) ?? this.tabs[0]!);

  /** Opens a query: in the tab that has it, in the current one if that is empty, or in another. */
  open(query: string, title = ''): void {
    const same = this.tabs.find((tab) => tab.query === query);
    if (same) this.active = same.id;
    else if (this.current.query.trim() === '') this.#set({ ...this.current, query, title });
    else this.add(query, title);
  }

  add(query = '', title = ''): void {
    const id = Math.max(...this.tabs.map((tab) => tab.id)) + 1;
    this.tabs = [...this.tabs, { id, title, query }].slice(-MOST_TABS);
    this.active = id;
    this.#keep();
  }

  write(query: string): void {
    this.#set({ ...this.current, query });
  }

  rename(title: string): void {
    this.#set({ ...this.current, title });
  }

  close(id: number): void {
    const at = this.tabs.findIndex((tab) => tab.id === id);
    const rest = this.tabs.filter((tab) => tab.id !== id);
    this.tabs = rest.length > 0 ? rest : [{ id: id + 1, title: '', query: '' }];
    if (this.active === id) this.active = (this.tabs[at] ?? this.tabs.at(-1))!.id;
    this.#keep();
  }

  asked(one: Past): void {
    this.past = [one, ...this.past.filter((other) => other.query !== one.query)].slice(0, MOST_PAST);
    saveSetting('asked', this.past.filter((other) => other.query.length <= MOST_KEPT));
  }

  #set(tab: Tab): void {
    this.tabs = this.tabs.map((other) => (other.id === tab.id ? tab : other));
    this.#keep();
  }

  #keep(): void {
    saveSetting('queries', this.tabs.filter((tab) => tab.query.length <= MOST_KEPT));
  }
}

function valid(tabs: Tab[]): Tab[] {
  return Array.isArray(tabs) ? tabs.filter((tab) => typeof tab.query === 'string' && typeof tab.id === 'number').map((tab) => ({ ...tab, title: String(tab.title ?? '') })) : [];
}

export const queries = new Queries();

/** What a tab is called: its name, its first comment, or its first words. */
export function nameOfTab({ title, query }: Tab): string {
  if (title !== '') return title;
  const comment = /^\s*\/\/\s*(.+)/.exec(query)?.[1];
  const words = comment ?? query.replaceAll(/\s+/g, ' ').trim();
  return words === '' ? 'New query' : words.length > 26 ? `${words.slice(0, 25)}…` : words;
}
