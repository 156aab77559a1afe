// The waterfall of a transaction: joins both sides of a call, shifts clocks, hangs orphans, and flattens to rows.

import type { TransactionItem } from '../api/types';
import { parseTime } from './moment';

/** Calls alike among siblings from which on they are one row. */
export const FOLD_FROM = 5;
/** How far a callee may lie outside its caller before its clock is taken to be wrong, in milliseconds. */
const SKEW_TOLERANCE_MS = 2;

/** A row's call: a span, or a dependency joined with the request it became. Times are in ms from the begin of the transaction. */
export interface Call {
  /** The caller's side, or the only one; undefined for a parent that was not received. */
  outer: TransactionItem | undefined;
  /** The callee's side: the request that has the dependency as its parent. */
  inner: TransactionItem | undefined;
  start: number;
  end: number;
  innerStart: number;
  innerEnd: number;
  /** How far the callee's clock was moved to fit, in ms. */
  shift: number;
  parent: number;
  children: number[];
  /** Logs, exceptions, events that belong to it, by time. */
  notes: Note[];
  /** Duration less the union of its children. */
  self: number;
}

export interface Note {
  item: TransactionItem;
  at: number;
}

export interface Waterfall {
  calls: Call[];
  roots: number[];
  /** Notes that belong to no span. */
  loose: Note[];
  /** The moment of 0, in ms since 1970. */
  origin: number;
  length: number;
}

const SPANS = new Set(['request', 'dependency', 'pageView', 'availabilityResult']);

export function isSpan(entry: TransactionItem): boolean {
  return SPANS.has(entry.item.itemType);
}

/** The key of a call's row in URLs. */
export function keyOfCall(call: Call): number {
  return call.outer?.item.id ?? -1;
}

/** The side with the most information: the request, if it exists. */
export function mainItem(call: Call): TransactionItem | undefined {
  return call.inner ?? call.outer;
}

function newCall(outer: TransactionItem | undefined): Call {
  const start = outer ? parseTime(outer.item.timestamp) : Infinity;
  const end = outer ? start + Math.max(0, outer.item.durationMs ?? 0) : -Infinity;
  return { outer, inner: undefined, start, end, innerStart: NaN, innerEnd: NaN, shift: 0, parent: -1, children: [], notes: [], self: 0 };
}

/** Builds the calls of a transaction from its items. Works for any input: cycles are cut, missing parents stand in. */
export function build(entries: TransactionItem[]): Waterfall {
  const calls: Call[] = [];
  const callOf = new Map<number, number>();
  const kindOf = new Map<number, string>();
  const timed = entries.filter(isSpan).map((entry) => ({ entry, at: parseTime(entry.item.timestamp) }));
  const spans = timed.sort((a, b) => a.at - b.at || a.entry.item.id - b.entry.item.id).map(({ entry }) => entry);
  for (const entry of spans) kindOf.set(entry.item.id, entry.item.itemType);

  const joined: TransactionItem[] = [];
  const taken = new Set<number>();
  for (const entry of spans) {
    const { parent, item } = entry;
    if (item.itemType === 'request' && parent !== null && kindOf.get(parent) === 'dependency' && !taken.has(parent)) {
      taken.add(parent);
      joined.push(entry);
    } else {
      callOf.set(item.id, calls.length);
      calls.push(newCall(entry));
    }
  }
  for (const entry of joined) {
    const at = callOf.get(entry.parent ?? -1);
    const call = at === undefined ? undefined : calls[at];
    if (at === undefined || !call) continue;
    call.inner = entry;
    call.innerStart = parseTime(entry.item.timestamp);
    call.innerEnd = call.innerStart + Math.max(0, entry.item.durationMs ?? 0);
    callOf.set(entry.item.id, at);
  }

  const roots = link(calls, callOf);
  shiftClocks(calls, roots);
  const { notes, loose } = attach(entries, calls, callOf);
  return finish(calls, roots, notes, loose);
}

/** Sets parents and children; answers the roots. */
function link(calls: Call[], callOf: Map<number, number>): number[] {
  const orphans: number[] = [];
  const roots: number[] = [];
  calls.forEach((call, index) => {
    const parent = call.outer?.parent ?? null;
    const at = parent === null ? undefined : callOf.get(parent);
    if (at !== undefined && at !== index) call.parent = at;
    else if (call.outer?.isOrphan === true) orphans.push(index);
    else roots.push(index);
  });
  cutCycles(calls, roots);
  // The only begin of a transaction is its root, even when its caller is elsewhere.
  if (roots.length === 0 && orphans.length === 1) roots.push(...orphans);
  else hangOrphans(calls, orphans, roots);
  calls.forEach((call, index) => {
    if (call.parent >= 0) calls[call.parent]?.children.push(index);
  });
  for (const call of calls) call.children.sort((a, b) => calls[a]!.start - calls[b]!.start || a - b);
  roots.sort((a, b) => calls[a]!.start - calls[b]!.start || a - b);
  return roots;
}

function cutCycles(calls: Call[], roots: number[]): void {
  // 0 unknown, 1 on the current path, 2 known to end.
  const state = new Uint8Array(calls.length);
  for (let start = 0; start < calls.length; start += 1) {
    const path: number[] = [];
    let at = start;
    while (at >= 0 && state[at] === 0) {
      state[at] = 1;
      path.push(at);
      at = calls[at]!.parent;
    }
    if (at >= 0 && state[at] === 1) {
      calls[at]!.parent = -1;
      roots.push(at);
    }
    for (const index of path) state[index] = 2;
  }
}

function hangOrphans(calls: Call[], orphans: number[], roots: number[]): void {
  const byParent = new Map<string, number>();
  for (const orphan of orphans) {
    const name = calls[orphan]!.outer?.item.operationParentId ?? '';
    let at = byParent.get(name);
    if (at === undefined) {
      at = calls.length;
      calls.push(newCall(undefined));
      byParent.set(name, at);
      roots.push(at);
    }
    const stand = calls[at]!;
    stand.start = Math.min(stand.start, calls[orphan]!.start);
    stand.end = Math.max(stand.end, calls[orphan]!.end);
    calls[orphan]!.parent = at;
  }
}

/** Moves the subtree of a callee whose clock differs from its caller's into the middle of the call. */
function shiftClocks(calls: Call[], roots: number[]): void {
  const stack = roots.map((root) => ({ at: root, outer: 0 }));
  while (stack.length > 0) {
    const { at, outer } = stack.pop()!;
    const call = calls[at]!;
    call.start += outer;
    call.end += outer;
    let inner = outer;
    if (call.inner) {
      call.innerStart += outer;
      call.innerEnd += outer;
      const moved = skew(call.start, call.end, call.innerStart, call.innerEnd);
      call.innerStart += moved;
      call.innerEnd += moved;
      call.shift = moved;
      inner += moved;
    }
    const innerId = call.inner?.item.id;
    for (const child of call.children) {
      stack.push({ at: child, outer: innerId !== undefined && calls[child]!.outer?.parent === innerId ? inner : outer });
    }
  }
}

/** How far a callee is to be moved. One that works on after its caller gave up is not moved. */
export function skew(start: number, end: number, innerStart: number, innerEnd: number): number {
  const [length, innerLength] = [end - start, innerEnd - innerStart];
  const early = innerStart < start - SKEW_TOLERANCE_MS;
  const late = innerStart > end + SKEW_TOLERANCE_MS || (innerEnd > end + SKEW_TOLERANCE_MS && innerLength <= length + SKEW_TOLERANCE_MS);
  if (!early && !late) return 0;
  return start + Math.max(0, (length - innerLength) / 2) - innerStart;
}

function attach(entries: TransactionItem[], calls: Call[], callOf: Map<number, number>) {
  const notes = new Map<number, Note[]>();
  const loose: Note[] = [];
  for (const entry of entries) {
    if (isSpan(entry)) continue;
    const at = entry.parent === null ? undefined : callOf.get(entry.parent);
    const moved = at !== undefined && calls[at]!.inner?.item.id === entry.parent ? calls[at]!.shift : 0;
    const note = { item: entry, at: parseTime(entry.item.timestamp) + moved };
    if (at === undefined) loose.push(note);
    else if (notes.has(at)) notes.get(at)!.push(note);
    else notes.set(at, [note]);
  }
  return { notes, loose };
}

function finish(calls: Call[], roots: number[], notes: Map<number, Note[]>, loose: Note[]): Waterfall {
  let origin = Infinity;
  let last = -Infinity;
  const see = (from: number, to: number) => {
    if (from < origin) origin = from;
    if (to > last) last = to;
  };
  for (const call of calls) {
    see(call.start, call.end);
    if (call.inner) see(call.innerStart, call.innerEnd);
  }
  for (const list of [...notes.values(), loose]) for (const note of list) see(note.at, note.at);
  if (!Number.isFinite(origin)) [origin, last] = [0, 0];
  for (const call of calls) {
    call.start -= origin;
    call.end -= origin;
    call.innerStart -= origin;
    call.innerEnd -= origin;
  }
  const byTime = (a: Note, b: Note) => a.at - b.at || a.item.item.id - b.item.item.id;
  for (const [at, list] of notes) calls[at]!.notes = list.map((note) => ({ ...note, at: note.at - origin })).sort(byTime);
  for (const call of calls) call.self = selfTime(call, calls);
  return { calls, roots, loose: loose.map((note) => ({ ...note, at: note.at - origin })).sort(byTime), origin, length: Math.max(last - origin, 0.001) };
}

/** Duration of a call less the union of its children's times. */
export function selfTime(call: Call, calls: Call[]): number {
  let covered = 0;
  let reached = call.start;
  for (const child of call.children) { // by start
    const { start, end } = calls[child]!;
    const [from, to] = [Math.max(start, reached), Math.min(end, call.end)];
    if (to > from) covered += to - from;
    reached = Math.max(reached, Math.min(end, call.end));
  }
  return Math.max(0, call.end - call.start - covered);
}

export type Row =
  | { kind: 'call'; call: number; depth: number; open: boolean; hasMore: boolean }
  | { kind: 'fold'; calls: number[]; depth: number; open: boolean; key: number }
  | { kind: 'note'; note: Note; depth: number; call: number };

export interface View {
  /** Calls whose children are hidden, by key. */
  closed: ReadonlySet<number>;
  /** Folds that are open, by the key of their first call. */
  open: ReadonlySet<number>;
  notes: boolean;
}

/** The common properties of calls that fold. */
export function likeness(call: Call): string {
  const item = mainItem(call)?.item;
  return item ? `${call.outer?.item.type ?? item.itemType}\u0000${call.outer?.item.target ?? ''}\u0000${item.name}` : '';
}

/** Siblings that fold, by the first of them; each list has at least {@link FOLD_FROM}. */
export function folds(children: number[], calls: Call[]): Map<number, number[]> {
  const result = new Map<number, number[]>();
  if (children.length < FOLD_FROM) return result;
  const alike = new Map<string, number[]>();
  for (const child of children) {
    const name = likeness(calls[child]!);
    if (name === '' || calls[child]!.outer?.item.itemType !== 'dependency') continue;
    const list = alike.get(name);
    if (list) list.push(child);
    else alike.set(name, [child]);
  }
  for (const list of alike.values()) if (list.length >= FOLD_FROM) result.set(list[0]!, list);
  return result;
}

/** All rows from top to bottom. Deep transactions do not exhaust the stack. */
export function flatten({ calls, roots, loose }: Waterfall, view: View): Row[] {
  const rows: Row[] = [];
  type Step = { call: number; depth: number } | { row: Row };
  const stack: Step[] = [];
  const push = (children: number[], notes: Note[], depth: number, owner: number) => {
    const folded = folds(children, calls);
    const inside = new Set<number>();
    for (const list of folded.values()) for (const call of list) inside.add(call);
    const steps: { at: number; steps: Step[] }[] = [];
    for (const child of children) {
      const list = folded.get(child);
      if (list) {
        const key = keyOfCall(calls[child]!);
        const open = view.open.has(key);
        const row: Row = { kind: 'fold', calls: list, depth, open, key };
        steps.push({ at: calls[child]!.start, steps: [{ row }, ...(open ? list.map((call) => ({ call, depth: depth + 1 })) : [])] });
      } else if (!inside.has(child)) {
        steps.push({ at: calls[child]!.start, steps: [{ call: child, depth }] });
      }
    }
    if (view.notes) for (const note of notes) steps.push({ at: note.at, steps: [{ row: { kind: 'note', note, depth, call: owner } }] });
    steps.sort((a, b) => a.at - b.at);
    for (let i = steps.length - 1; i >= 0; i -= 1) for (let j = steps[i]!.steps.length - 1; j >= 0; j -= 1) stack.push(steps[i]!.steps[j]!);
  };
  push(roots, loose, 0, -1);
  while (stack.length > 0) {
    const step = stack.pop()!;
    if ('row' in step) {
      rows.push(step.row);
      continue;
    }
    const call = calls[step.call]!;
    const hasMore = call.children.length > 0 || (view.notes && call.notes.length > 0);
    const open = hasMore && !view.closed.has(keyOfCall(call));
    rows.push({ kind: 'call', call: step.call, depth: step.depth, open, hasMore });
    if (open) push(call.children, call.notes, step.depth + 1, step.call);
  }
  return rows;
}
