// Live lists whose order stays while it is being read.

/** The rows in an earlier order, new ones after them; and how many would move. */
export function keepOrder<T>(earlier: readonly string[], rows: readonly T[], key: (row: T) => string): { rows: T[]; moves: number } {
  const byKey = new Map(rows.map((row) => [key(row), row]));
  const kept: T[] = [];
  for (const name of earlier) {
    const row = byKey.get(name);
    if (row !== undefined) {
      kept.push(row);
      byKey.delete(name);
    }
  }
  kept.push(...byKey.values());
  return { rows: kept, moves: kept.filter((row, i) => rows[i] === undefined || key(rows[i]) !== key(row)).length };
}
