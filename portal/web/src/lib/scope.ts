// The scope of a ranged response, in the form that charts need.

import type { Scope } from '../api/types';
import { parseTime } from './moment';
import type { Marker } from './plot';

export function markersOf(scope: Scope): Marker[] {
  return scope.runs.map((run) => ({ at: parseTime(run.start), label: `run ${run.number}` }));
}

/** Where the hatching ends; undefined when all of the range is kept. */
export function oldestOf(scope: Scope): number | undefined {
  const oldest = parseTime(scope.oldestKept);
  return oldest > parseTime(scope.range.from) + 1000 ? oldest : undefined;
}

/** The answered range, for links that are to give the same view later. */
export function remember(scope: Scope | undefined): void {
  if (scope) document.documentElement.dataset['range'] = `${scope.range.from}/${scope.range.to}`;
}
