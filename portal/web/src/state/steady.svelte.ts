// Holds the order of a live list while pointer or focus is inside.

import { keepOrder } from '../lib/steady';
import { router } from './router.svelte';

export class Steady<T> {
  held = $state(false);
  #order: string[] = [];
  #basis = '';
  readonly #rows: () => readonly T[];
  readonly #key: (row: T) => string;
  readonly #of: () => string;

  /** `of` identifies the user's own order, such as the sorting: a change takes effect at once. */
  constructor(rows: () => readonly T[], key: (row: T) => string, of: () => string = () => '') {
    this.#rows = rows;
    this.#key = key;
    this.#of = of;
  }

  readonly #kept = $derived.by(() => {
    const rows = this.#rows();
    const basis = this.#of();
    const result = this.held && router.following && basis === this.#basis ? keepOrder(this.#order, rows, this.#key) : { rows: [...rows], moves: 0 };
    this.#basis = basis;
    this.#order = result.rows.map(this.#key);
    return result;
  });

  get rows(): T[] {
    return this.#kept.rows;
  }
  get moves(): number {
    return this.#kept.moves;
  }

  /** Takes the new order now. */
  settle(): void {
    this.#basis = '\u0000';
    this.held = false;
  }

  /** Attributes for the element that contains the list. */
  readonly holds = {
    onpointerenter: () => (this.held = true),
    onpointerleave: (event: PointerEvent) => (this.held = event.currentTarget instanceof Element && event.currentTarget.contains(document.activeElement)),
    onfocusin: () => (this.held = true),
    onfocusout: (event: FocusEvent) => {
      if (event.currentTarget instanceof Element && !event.currentTarget.matches(':hover') && !(event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget))) this.held = false;
    },
  };
}
