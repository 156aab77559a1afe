// The page's view of a transaction: rows, path, search, and selection.

import type { Transaction, TransactionItem } from '../api/types';
import { criticalPath, type Part, type Segment, summarize } from '../lib/critical';
import { categoryOf, CATEGORIES, KINDS, type Look } from '../lib/kinds';
import { build, type Call, flatten, keyOfCall, mainItem, type Row, type Waterfall } from '../lib/waterfall';

export interface Shown {
  closed: ReadonlySet<number>;
  open: ReadonlySet<number>;
  notes: boolean;
  find: string;
}

/** The style of a call's bar: that of the request if it exists, otherwise that of the dependency's category. */
export function lookOfCall(call: Call): Look {
  const entry = mainItem(call);
  if (!entry) return { icon: 'braces', color: 'type-inproc', word: 'Parent not received' };
  return entry.item.itemType === 'dependency' ? CATEGORIES[categoryOf(entry.item.type)] : KINDS[entry.item.itemType];
}

export function isFailed(call: Call): boolean {
  return call.outer?.item.success === false || call.inner?.item.success === false;
}

export interface Model {
  waterfall: Waterfall;
  path: Segment[];
  /** Ms of the path in each call. */
  pathOf: Map<number, number>;
  segmentsOf: Map<number, Segment[]>;
  parts: Part[];
  root: Call | undefined;
  byId: Map<number, TransactionItem>;
  callOfItem: Map<number, number>;
}

export function model(transaction: Transaction): Model {
  const waterfall = build(transaction.items);
  // The longest root is the call that a caller waited for.
  const root = waterfall.roots.reduce((best, at) => (best < 0 || waterfall.calls[at]!.end - waterfall.calls[at]!.start > waterfall.calls[best]!.end - waterfall.calls[best]!.start ? at : best), -1);
  const path = root < 0 ? [] : criticalPath(waterfall, root);
  const pathOf = new Map<number, number>();
  const segmentsOf = new Map<number, Segment[]>();
  for (const segment of path) {
    pathOf.set(segment.call, (pathOf.get(segment.call) ?? 0) + segment.to - segment.from);
    const list = segmentsOf.get(segment.call);
    if (list) list.push(segment);
    else segmentsOf.set(segment.call, [segment]);
  }
  const callOfItem = new Map<number, number>();
  waterfall.calls.forEach((call, at) => {
    if (call.outer) callOfItem.set(call.outer.item.id, at);
    if (call.inner) callOfItem.set(call.inner.item.id, at);
  });
  return {
    waterfall, path, pathOf, segmentsOf, callOfItem,
    parts: summarize(waterfall, path, (call) => categoryOf(call.outer?.item.type)),
    root: waterfall.calls[root],
    byId: new Map(transaction.items.map((entry) => [entry.item.id, entry])),
  };
}

export function rowKey(row: Row, { waterfall }: Model): string {
  if (row.kind === 'note') return `n${row.note.item.item.id}`;
  if (row.kind === 'fold') return `f${row.key}`;
  const call = waterfall.calls[row.call]!;
  return call.outer ? `c${call.outer.item.id}` : `m${row.call}`;
}

/** The item of a row. */
export function itemOfRow(row: Row, { waterfall }: Model): TransactionItem | undefined {
  if (row.kind === 'note') return row.note.item;
  const call = waterfall.calls[row.kind === 'fold' ? row.calls[0]! : row.call];
  return call && (call.outer?.item.itemType === 'dependency' && !call.inner ? call.outer : mainItem(call));
}

function haystack(entry: TransactionItem): string {
  const { item } = entry;
  const causes = entry.causes.map((cause) => `${cause.typeName} ${cause.message}`).join(' ');
  return `${item.name} ${item.target ?? ''} ${item.data ?? ''} ${item.resultCode ?? ''} ${item.roleName ?? ''} ${causes} ${entry.properties.map((one) => `${one.name} ${one.value}`).join(' ')}`.toLowerCase();
}

/** Items whose names, properties or messages hold a text. */
export function findItems(transaction: Transaction, wanted: string): Set<number> {
  const text = wanted.trim().toLowerCase();
  if (text === '') return new Set();
  return new Set(transaction.items.filter((entry) => haystack(entry).includes(text)).map((entry) => entry.item.id));
}

/** Rows without closed subtrees, except for the ancestors of hits. */
export function rowsOf({ waterfall, callOfItem }: Model, shown: Shown, hits: ReadonlySet<number>): Row[] {
  if (hits.size === 0) return flatten(waterfall, shown);
  const closed = new Set(shown.closed);
  for (const id of hits) {
    let at = callOfItem.get(id) ?? noteOwner(waterfall, id);
    while (at !== undefined && at >= 0) {
      const call: Call = waterfall.calls[at]!;
      if (call.parent >= 0) closed.delete(keyOfCall(waterfall.calls[call.parent]!));
      at = call.parent;
    }
  }
  return flatten(waterfall, { ...shown, closed });
}

function noteOwner(waterfall: Waterfall, id: number): number | undefined {
  const at = waterfall.calls.findIndex((call) => call.notes.some((note) => note.item.item.id === id));
  return at < 0 ? undefined : at;
}

/** Whether a row, or a call folded in it, is a hit. */
export function isHit(row: Row, { waterfall }: Model, hits: ReadonlySet<number>): boolean {
  const ids = (call: Call | undefined) => [call?.outer?.item.id, call?.inner?.item.id];
  if (row.kind === 'note') return hits.has(row.note.item.item.id);
  const calls = row.kind === 'fold' ? row.calls : [row.call];
  return calls.some((at) => ids(waterfall.calls[at]).some((id) => id !== undefined && hits.has(id)));
}
