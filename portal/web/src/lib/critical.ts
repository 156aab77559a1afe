// The critical path of a transaction, and where its time went.

import type { Category } from '../api/types';
import { folds, mainItem, type Call, type Waterfall } from './waterfall';

/** How far a child may end after its parent and still count, in ms: clocks are read at both. */
const END_TOLERANCE_MS = 0.5;

/** A part of the path: this call itself is waited for. */
export interface Segment {
  call: number;
  from: number;
  to: number;
}

/**
 * Walks backwards from the root's end. The child that ends last before the cursor is on the path, and is walked in the same
 * way; a gap is the parent's own time. The walk continues at the child's start. A child that ends after its parent is skipped.
 */
export function criticalPath({ calls }: Waterfall, root: number): Segment[] {
  const segments: Segment[] = [];
  const add = (call: number, from: number, to: number) => {
    if (to > from) segments.push({ call, from, to });
  };
  const begin = (call: number, from: number, to: number) => ({ call, from, cursor: to, rest: byEnd(calls[call]!, calls), next: 0 });
  const first = calls[root];
  if (!first) return [];
  const stack = [begin(root, first.start, first.end)];
  while (stack.length > 0) {
    const frame = stack[stack.length - 1]!;
    const child = frame.rest[frame.next];
    if (child === undefined || frame.cursor <= frame.from) {
      add(frame.call, frame.from, frame.cursor);
      stack.pop();
      continue;
    }
    frame.next += 1;
    const { start, end } = calls[child]!;
    const reached = Math.min(end, calls[frame.call]!.end);
    if (end > calls[frame.call]!.end + END_TOLERANCE_MS || reached > frame.cursor || reached <= frame.from) continue;
    add(frame.call, reached, frame.cursor);
    const from = Math.max(start, frame.from);
    frame.cursor = from;
    stack.push(begin(child, from, reached));
  }
  return segments.reverse();
}

function byEnd(call: Call, calls: Call[]): number[] {
  return call.children.slice().sort((a, b) => calls[b]!.end - calls[a]!.end || calls[b]!.start - calls[a]!.start);
}

/** A share of the time that the transaction took. */
export interface Part {
  label: string;
  ms: number;
  calls: number;
  category: Category | 'request' | 'network' | 'uncovered' | 'rest';
  failed: boolean;
  /** The call to show when it is chosen. */
  first: number;
}

/** Adds a path up: calls of one kind together, time that no child covers by role, the smallest as one. */
export function summarize(waterfall: Waterfall, path: Segment[], categoryOf: (call: Call) => Category, most = 5): Part[] {
  const { calls } = waterfall;
  const folded = new Map<number, number[]>();
  for (const call of calls) for (const list of folds(call.children, calls).values()) for (const member of list) folded.set(member, list);
  const parts = new Map<string, Part & { members: Set<number> }>();
  const add = (key: string, label: string, category: Part['category'], at: number, ms: number, failed: boolean) => {
    if (ms <= 0) return;
    const part = parts.get(key) ?? { label, ms: 0, calls: 0, category, failed, first: at, members: new Set<number>() };
    part.ms += ms;
    part.failed ||= failed;
    part.members.add(at);
    parts.set(key, part);
  };
  for (const { call: at, from, to } of path) {
    const call = calls[at]!;
    const item = mainItem(call)?.item;
    if (!item) {
      add('missing', 'parent not received', 'uncovered', at, to - from, false);
    } else if (call.inner) {
      const worked = Math.max(0, Math.min(to, call.innerEnd) - Math.max(from, call.innerStart));
      add(`own ${item.roleName}`, `uncovered time in ${item.roleName ?? 'no role'}`, 'uncovered', at, worked, false);
      add(`network ${item.roleName}`, `network to ${item.roleName ?? item.name}`, 'network', at, to - from - worked, false);
    } else if (item.itemType !== 'dependency') {
      add(`own ${item.roleName}`, `uncovered time in ${item.roleName ?? 'no role'}`, 'uncovered', at, to - from, false);
    } else {
      const list = folded.get(at);
      const label = list ? `${item.name} ×${list.length}` : item.name;
      add(`call ${list ? list[0] : at}`, label, categoryOf(call), at, to - from, item.success === false);
    }
  }
  const sorted = [...parts.values()].sort((a, b) => b.ms - a.ms).map(({ members, ...part }) => ({ ...part, calls: members.size }));
  const kept = sorted.slice(0, most);
  const rest = sorted.slice(most);
  if (rest.length === 1) kept.push(rest[0]!);
  else if (rest.length > 1) {
    const calls = rest.reduce((sum, part) => sum + part.calls, 0);
    kept.push({ label: `other, ${calls} spans`, ms: rest.reduce((sum, part) => sum + part.ms, 0), calls, category: 'rest', failed: false, first: rest[0]!.first });
  }
  return kept;
}
