// A response of the API that follows its request and the arriving items.

import { untrack } from 'svelte';
import { ApiProblem, get } from '../api/client';
import { live } from './live.svelte';
import { router } from './router.svelte';

/** How long old data stays bright while newer is loaded. */
const DIM_AFTER = 300;
/** How long nothing is shown before a skeleton is. */
const SKELETON_AFTER = 200;

export interface Options {
  /** The least time between two questions while following, in ms; 0 never asks again by itself. */
  every?: number;
  /** Whether it must stay as it is, such as a distribution that is being dragged over. */
  frozen?: () => boolean;
}

export class Resource<T> {
  data = $state.raw<T | undefined>(undefined);
  error = $state.raw<ApiProblem | undefined>(undefined);
  dimmed = $state(false);
  skeleton = $state(false);
  /** When it was answered. */
  at = $state(0);
  #path: string | null = null;
  #abort: AbortController | undefined;
  #busy = false;
  #asked = 0;
  #wait: ReturnType<typeof setTimeout> | undefined;

  ask(path: string | null, isNew: boolean): void {
    if (path === null) {
      this.#abort?.abort();
      this.#path = null;
      this.data = undefined;
      this.error = undefined;
      this.dimmed = this.skeleton = false;
      return;
    }
    if (!isNew && this.#busy) return;
    this.#abort?.abort();
    this.#path = path;
    void this.#load(path, isNew);
  }

  /** Asks once more, such as after a failure. */
  again(): void {
    if (this.#path !== null) this.ask(this.#path, true);
  }

  /** Asks again when that is due, or as soon as it is. */
  refresh(every: number): void {
    clearTimeout(this.#wait);
    const due = this.#asked + every - Date.now();
    if (due <= 0) this.ask(this.#path, false);
    else this.#wait = setTimeout(() => this.ask(this.#path, false), due);
  }

  stop(): void {
    clearTimeout(this.#wait);
    this.#abort?.abort();
  }

  async #load(path: string, isNew: boolean): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    this.#busy = true;
    this.#asked = Date.now();
    const late = isNew
      ? setTimeout(() => (this.data === undefined ? (this.skeleton = true) : (this.dimmed = true)), this.data === undefined ? SKELETON_AFTER : DIM_AFTER)
      : undefined;
    try {
      const data = await get<T>(path, abort.signal);
      if (abort.signal.aborted) return;
      this.data = data;
      this.error = undefined;
      this.at = Date.now();
    } catch (error) {
      if (abort.signal.aborted) return;
      // A lost server is reported once, in the frame; the displayed data stays.
      if (isNew || this.data === undefined || !(error instanceof ApiProblem) || error.status !== 0) {
        this.error = error instanceof ApiProblem ? error : new ApiProblem(0, 'Unreadable', String(error));
      }
    } finally {
      clearTimeout(late);
      if (this.#abort === abort) {
        this.#busy = false;
        this.dimmed = this.skeleton = false;
      }
    }
  }
}

/** To be called while a component is made; it is asked anew whenever its path changes. */
export function resource<T>(path: () => string | null, { every = 1000, frozen = () => false }: Options = {}): Resource<T> {
  const result = new Resource<T>();
  $effect(() => {
    const asked = path();
    untrack(() => result.ask(asked, true));
  });
  $effect(() => {
    void live.revision;
    if (every > 0 && router.following && !frozen() && document.visibilityState === 'visible') untrack(() => result.refresh(every));
  });
  $effect(() => () => result.stop());
  return result;
}
