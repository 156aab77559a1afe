// Lists that readers save by name for their application: boards of charts, and views of transactions.

import type { SavedList } from '../api/types';
import { get, send, url } from '../api/client';
import { show, write } from '../lib/url';
import { COMMON, router } from './router.svelte';
import { ui } from './ui.svelte';

export interface Named {
  name: string;
  /** A board or a view, as the address has it. */
  text: string;
}

/** The member that holds the text, so that a later version may keep more beside it. */
const MEMBERS = { boards: 'b', views: 'query' } as const;
export type SavedKind = keyof typeof MEMBERS;

export async function savedOf(kind: SavedKind, app: string): Promise<Named[]> {
  const { saved } = await get<SavedList>(url(`/api/saved/${kind}`, { app }));
  return saved.flatMap(({ name, value }) => {
    const text = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[MEMBERS[kind]] : undefined;
    return typeof text === 'string' ? [{ name, text }] : [];
  });
}

/** Where it is shown. */
export function addressOf(kind: SavedKind, { text }: Named): string {
  return kind === 'boards' ? router.link('/metrics', { b: text }) : `/transactions${show(write(COMMON, new URLSearchParams(text), { app: router.common.app }))}`;
}

export class Saved {
  list = $state.raw<Named[]>([]);

  /** To be made while a component is. */
  constructor(readonly kind: SavedKind) {
    $effect(() => this.#load(router.common.app));
  }

  #load(app: string): void {
    // Without an answer the list stays; the frame says that the portal does not answer.
    void savedOf(this.kind, app).then((list) => (this.list = list), () => undefined);
  }

  /** Whether it was saved; a toast says so. */
  save({ name, text }: Named): Promise<boolean> {
    return this.#change('PUT', name, `${name} saved`, JSON.stringify({ [MEMBERS[this.kind]]: text }));
  }

  remove({ name }: Named): Promise<boolean> {
    return this.#change('DELETE', name, `${name} removed`);
  }

  async #change(method: 'PUT' | 'DELETE', name: string, done: string, body?: string): Promise<boolean> {
    const { app } = router.common;
    try {
      await send(method, url(`/api/saved/${this.kind}/${encodeURIComponent(name)}`, { app }), body);
      ui.toast('ok', done);
      this.#load(app);
      return true;
    } catch (error) {
      ui.toast('bad', error instanceof Error ? error.message : 'It could not be changed');
      return false;
    }
  }
}
