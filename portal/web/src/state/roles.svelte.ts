// A role keeps its colour in every view: by the order in which roles were first seen.

import { seriesColor } from '../lib/kinds';
import { live } from './live.svelte';
import { router } from './router.svelte';

const order = $derived.by(() => {
  const all = live.apps ?? [];
  const apps = router.common.app === '' ? all : all.filter((app) => app.iKey === router.common.app);
  const roles = apps.flatMap((app) => app.roles).sort((a, b) => a.firstSeen.localeCompare(b.firstSeen));
  return [...new Set(roles.map((role) => role.name))];
});

export function roleColor(name: string | null | undefined): string {
  return seriesColor(order.indexOf(name ?? ''));
}
