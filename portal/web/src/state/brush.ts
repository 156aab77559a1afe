// A range that was dragged in a chart: everything shows it, and it can be compared with what lies around it.

import { absolute } from '../lib/range';
import { router } from './router.svelte';

/** Shows a range, and remembers what it was chosen in. */
export function brush(from: number, to: number): void {
  const around = router.common.within !== '' ? router.common.within : (document.documentElement.dataset['range'] ?? '');
  router.setRange(absolute(from, to), around);
}
