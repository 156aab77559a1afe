// A filter that is taken out of the address to be changed.

import { router } from './router.svelte';
import { ui } from './ui.svelte';

/** Opens the form of a filter with its values. */
export function editFilter(index: number): void {
  const filter = router.common.f[index];
  if (!filter) return;
  router.removeFilter(index);
  ui.edited = filter;
}
