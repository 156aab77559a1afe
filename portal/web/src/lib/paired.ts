// Two transactions side by side: calls that stand at the same path are one row.

import { type Call, likeness, mainItem, type Waterfall } from './waterfall';

export interface Side {
  /** How many calls, their time and that of their own, in ms. */
  calls: number;
  ms: number;
  self: number;
  failed: number;
}

export interface Pair {
  depth: number;
  /** What stands for the row: a call of the first, or of the second if only that has it. */
  call: Call;
  a: Side;
  b: Side;
}

/** Rows that both have in common, and those of one alone, in the order of the first. */
export function paired(a: Waterfall, b: Waterfall, most = 2000): Pair[] {
  const rows: Pair[] = [];
  type Step = { depth: number; a: number[]; b: number[] };
  const steps = groups({ depth: 0, a: a.roots, b: b.roots }, a, b, true).reverse();
  while (steps.length > 0 && rows.length < most) {
    const step: Step = steps.pop()!;
    const call = step.a.length > 0 ? a.calls[step.a[0]!]! : b.calls[step.b[0]!]!;
    rows.push({ depth: step.depth, call, a: sideOf(step.a, a), b: sideOf(step.b, b) });
    const below = { depth: step.depth + 1, a: step.a.flatMap((at) => a.calls[at]!.children), b: step.b.flatMap((at) => b.calls[at]!.children) };
    steps.push(...groups(below, a, b, false).reverse());
  }
  return rows;
}

/** Calls that are alike are one row. The roots are a row each, in their order: their names may hold what differs. */
function groups({ depth, a: inA, b: inB }: { depth: number; a: number[]; b: number[] }, a: Waterfall, b: Waterfall, areRoots: boolean): { depth: number; a: number[]; b: number[] }[] {
  const result = new Map<string, { depth: number; a: number[]; b: number[] }>();
  const add = (list: number[], { calls }: Waterfall, side: 'a' | 'b') => {
    list.forEach((at, i) => {
      const key = areRoots ? String(i) : likeness(calls[at]!);
      const group = result.get(key) ?? { depth, a: [], b: [] };
      group[side].push(at);
      result.set(key, group);
    });
  };
  add(inA, a, 'a');
  add(inB, b, 'b');
  return [...result.values()];
}

function sideOf(list: number[], { calls }: Waterfall): Side {
  const side = { calls: list.length, ms: 0, self: 0, failed: 0 };
  for (const at of list) {
    const call = calls[at]!;
    side.ms += call.end - call.start;
    side.self += call.self;
    if (mainItem(call)?.item.success === false || call.outer?.item.success === false) side.failed += 1;
  }
  return side;
}
