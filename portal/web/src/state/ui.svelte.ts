// The state of the frame: toasts, open panels, the registry of keys, announcements.

import { Shortcuts, type Shortcut } from '../lib/shortcuts';
import type { Filter } from '../lib/url';

export interface Toast {
  id: number;
  level: 'ok' | 'warn' | 'bad' | 'info';
  text: string;
  action?: { label: string; run: () => void };
}

const TOAST_MS = 6000;

class Ui {
  toasts = $state<Toast[]>([]);
  palette = $state(false);
  sheet = $state(false);
  menu = $state(false);
  /** A filter whose form is to be opened. */
  edited = $state.raw<Filter | undefined>(undefined);
  /** Grows when the detail of a row is to take the focus. */
  entered = $state(0);
  /** Read out by screen readers. */
  said = $state('');
  readonly keys = new Shortcuts();
  #next = 1;
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();

  toast(level: Toast['level'], text: string, action?: Toast['action']): void {
    const id = this.#next;
    this.#next += 1;
    this.toasts = [...this.toasts.slice(-2), { id, level, text, ...(action ? { action } : {}) }];
    this.release(id);
  }

  /** A toast that is being read stays. */
  hold(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  release(id: number): void {
    this.hold(id);
    this.#timers.set(id, setTimeout(() => this.dismiss(id), TOAST_MS));
  }

  dismiss(id: number): void {
    this.hold(id);
    this.toasts = this.toasts.filter((toast) => toast.id !== id);
  }

  say(text: string): void {
    this.said = text;
  }

  async copy(text: string, what = 'Copied'): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without permission: the old way.
      const area = document.createElement('textarea');
      area.value = text;
      area.className = 'visually-hidden';
      document.body.append(area);
      area.select();
      const done = document.execCommand('copy');
      area.remove();
      if (!done) {
        this.toast('bad', 'The browser does not let this page copy');
        return;
      }
    }
    this.toast('ok', what);
    this.say(what);
  }
}

export const ui = new Ui();

/** Keys of a component, as long as it is shown. */
export function shortcuts(list: Shortcut[]): void {
  $effect(() => ui.keys.register(list));
}
