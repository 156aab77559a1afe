// The registry of keys: their actions, their entries in the sheet of keys, and the switch for single keys.

export interface Shortcut {
  /** Keys in order, such as `g o`, `/`, `ctrl+k`, `shift+ArrowLeft`. */
  keys: string;
  /** The action, in a few words. */
  does: string;
  /** Where it belongs in the sheet. */
  group: string;
  run: (event: KeyboardEvent) => void;
  /** Also while a text is typed. */
  inText?: boolean;
  /** Not shown in the sheet: another way to the same. */
  hidden?: boolean;
}

/** How long the second key of a sequence may take. */
export const SEQUENCE_MS = 1500;

type Pressed = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>;

/** A key press in the form of `keys`. Shift counts only for keys whose character does not change with it. */
export function keyOf(event: Pressed): string {
  const key = event.key === ' ' ? 'Space' : event.key;
  const named = key.length > 1;
  const shift = event.shiftKey && named ? 'shift+' : '';
  const alt = event.altKey ? 'alt+' : '';
  const ctrl = event.ctrlKey || event.metaKey ? 'ctrl+' : '';
  return `${ctrl}${alt}${shift}${named || ctrl === '' ? key : key.toLowerCase()}`;
}

function takesText(target: EventTarget | null): boolean {
  if (typeof HTMLElement === 'undefined' || !(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !['button', 'checkbox', 'radio', 'range', 'submit'].includes(target.type);
}

/** What has the focus, inside a shadow root too. */
function targetOf(event: KeyboardEvent): EventTarget | null {
  return (typeof event.composedPath === 'function' ? event.composedPath()[0] : undefined) ?? event.target;
}

/** Whether the focused control has a use of its own for a key. */
function belongsToControl(key: string, target: EventTarget | null): boolean {
  if (typeof HTMLElement === 'undefined' || !(target instanceof HTMLElement)) return false;
  if (key !== 'Enter' && key !== 'Space') return false;
  return target.closest('button, a[href], summary, input, [role="tab"], [role="option"], [role="menuitem"]') !== null;
}

export class Shortcuts {
  #lists: Shortcut[][] = [];
  #started = '';
  #startedAt = 0;
  /** Single keys can be switched off (WCAG 2.1.4); those with a modifier stay. */
  enabled = true;

  /** Adds keys; later ones go before earlier ones. The result takes them away again. */
  register(list: Shortcut[]): () => void {
    this.#lists.unshift(list);
    return () => {
      this.#lists = this.#lists.filter((other) => other !== list);
    };
  }

  /** All keys, those of the page first. */
  get all(): Shortcut[] {
    return this.#lists.flat();
  }

  /** Runs the action of a key. Returns whether the key has one. */
  handle(event: KeyboardEvent, now = event.timeStamp): boolean {
    if (event.defaultPrevented || event.isComposing) return false;
    if (['Shift', 'Control', 'Alt', 'Meta'].includes(event.key)) return false;
    const key = keyOf(event);
    const target = targetOf(event);
    const typing = takesText(target);
    if (belongsToControl(key, target)) return false;
    const started = now - this.#startedAt <= SEQUENCE_MS ? this.#started : '';
    this.#started = '';
    const usable = this.all.filter((shortcut) => (!typing || shortcut.inText === true) && (this.enabled || key.startsWith('ctrl+') || key === 'Escape' || key.startsWith('Arrow')));
    const sequence = started === '' ? key : `${started} ${key}`;
    const hit = usable.find((shortcut) => shortcut.keys === sequence) ?? usable.find((shortcut) => shortcut.keys === key);
    if (hit) {
      event.preventDefault();
      hit.run(event);
      return true;
    }
    if (usable.some((shortcut) => shortcut.keys.startsWith(`${key} `))) {
      this.#started = key;
      this.#startedAt = now;
      event.preventDefault();
      return true;
    }
    return false;
  }
}
