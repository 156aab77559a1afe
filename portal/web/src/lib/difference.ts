// Selects the over-represented values that are worth a line.

import type { Difference } from '../api/types';

/** The smallest difference of two shares that matters. */
const LEAST = 0.05;

/** At most `most` values, ordered by difference in share; one of each field, and nothing that is merely rarer. */
export function rank(differences: Difference[], most = 5): Difference[] {
  const seen = new Set<string>();
  return differences
    .filter(({ selected, rest, selectedCount }) => selected - rest >= LEAST && selectedCount > 0)
    .sort((a, b) => b.selected - b.rest - (a.selected - a.rest) || b.selectedCount - a.selectedCount)
    .filter(({ field }) => !seen.has(field) && seen.add(field))
    .slice(0, most);
}
