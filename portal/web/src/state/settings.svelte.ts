// The settings of this browser, kept in its storage.

import { showUtc } from '../lib/format';

function load<T>(key: string, fallback: T): T {
  try {
    const value = localStorage.getItem(`azmon.${key}`);
    return value === null ? fallback : (JSON.parse(value) as T);
  } catch {
    return fallback; // Storage may be forbidden, or hold what another version wrote.
  }
}

function save(key: string, value: unknown): void {
  try {
    localStorage.setItem(`azmon.${key}`, JSON.stringify(value));
  } catch {
    // Without storage, settings last as long as the tab.
  }
}

export type Theme = 'system' | 'light' | 'dark';

class Settings {
  theme = $state<Theme>(load('theme', 'system'));
  /** Folded or open by the reader; undefined leaves it to page and width. */
  rail = $state<'folded' | 'open' | undefined>(load('rail', undefined));
  keys = $state(load('keys', true));
  utc = $state(load('utc', false));
  editor = $state(load('editor', 'vscode'));
  sourceRoot = $state(load('sourceRoot', ''));
  /** Beginnings of methods that are not one's own, beside those that the portal knows. */
  foreign = $state(load('foreign', ''));
  /** Width of the detail at the right, in pixels. */
  detail = $state<number>(load('detail', 0));
  language = $state(load('language', 'axum'));
  recent = $state<string[]>(load('recent', []));
  #system = $state(matchMedia('(prefers-color-scheme: dark)').matches);
  readonly dark = $derived(this.theme === 'dark' || (this.theme === 'system' && this.#system));

  constructor() {
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', (event) => (this.#system = event.matches));
    showUtc(this.utc);
  }

  set<K extends 'theme' | 'rail' | 'keys' | 'utc' | 'editor' | 'sourceRoot' | 'foreign' | 'detail' | 'language' | 'recent'>(key: K, value: this[K]): void {
    (this as Settings)[key] = value as never;
    save(key, value);
    if (key === 'utc') showUtc(value === true);
  }
}

export const settings = new Settings();
export { load as loadSetting, save as saveSetting };
