// The rows of a long list that are in the document.

export interface Window {
  first: number;
  /** One past the last. */
  end: number;
  /** Height above the first row, and of all rows, in pixels. */
  before: number;
  total: number;
}

/** The number of rows that are drawn beyond the visible ones. */
export const OVERSCAN = 10;

/** Rows of one height. */
export function windowOf(scrollTop: number, viewport: number, rowHeight: number, rows: number, overscan = OVERSCAN): Window {
  const first = Math.max(0, Math.min(rows, Math.floor(scrollTop / rowHeight) - overscan));
  const end = Math.min(rows, Math.ceil((scrollTop + viewport) / rowHeight) + overscan);
  return { first, end: Math.max(first, end), before: first * rowHeight, total: rows * rowHeight };
}

/** Where to scroll so that a row can be seen; as it is if it can be. */
export function reveal(row: number, scrollTop: number, viewport: number, rowHeight: number): number {
  const top = row * rowHeight;
  if (top < scrollTop) return top;
  if (top + rowHeight > scrollTop + viewport) return top + rowHeight - viewport;
  return scrollTop;
}
