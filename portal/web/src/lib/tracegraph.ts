// The roles of one transaction and the targets of their calls, as nodes and edges of a map.

import { categoryOf } from './kinds';
import { mainItem, type Waterfall } from './waterfall';
import type { CanvasEdge, CanvasNode } from './graph';
import { duration, plural } from './format';

export function graphOf({ calls }: Waterfall): { nodes: CanvasNode[]; edges: CanvasEdge[] } {
  const nodes = new Map<string, CanvasNode & { calls: number; ms: number; bad: number }>();
  const edges = new Map<string, CanvasEdge & { calls: number; ms: number; bad: number }>();
  const node = (id: string, make: () => Omit<CanvasNode, 'id' | 'lines' | 'failedShare'>) => {
    let one = nodes.get(id);
    if (!one) nodes.set(id, (one = { id, ...make(), lines: [], failedShare: 0, calls: 0, ms: 0, bad: 0 }));
    return one;
  };
  for (const call of calls) {
    const outer = call.outer?.item;
    const main = mainItem(call)?.item;
    if (!outer || !main) continue;
    const caller = node(`role:${outer.roleName ?? ''}`, () => ({ kind: 'role', name: outer.roleName ?? 'no role', category: outer.itemType === 'pageView' ? 'browser' : 'http' }));
    if (main.itemType !== 'dependency') {
      const callee = node(`role:${main.roleName ?? ''}`, () => ({ kind: 'role', name: main.roleName ?? 'no role', category: 'http' }));
      callee.calls += 1;
      callee.ms += main.durationMs ?? 0;
      if (main.success === false) callee.bad += 1;
    }
    if (outer.itemType !== 'dependency') continue;
    const target = call.inner ? `role:${call.inner.item.roleName ?? ''}` : `dependency:${outer.type}|${outer.target}`;
    if (!call.inner) {
      const callee = node(target, () => ({ kind: 'dependency', name: outer.target ?? outer.name, category: categoryOf(outer.type) }));
      callee.calls += 1;
      callee.ms += outer.durationMs ?? 0;
      if (outer.success === false) callee.bad += 1;
    }
    if (caller.id === target) continue;
    const id = `${caller.id}>${target}`;
    const edge = edges.get(id) ?? { id, source: caller.id, target, lines: [], failedShare: 0, weight: 0, calls: 0, ms: 0, bad: 0 };
    edge.calls += 1;
    edge.ms += outer.durationMs ?? 0;
    if (outer.success === false) edge.bad += 1;
    edges.set(id, edge);
  }
  for (const one of [...nodes.values(), ...edges.values()]) {
    one.failedShare = one.calls > 0 ? one.bad / one.calls : 0;
    one.lines = one.calls > 0 ? [`${plural(one.calls, 'call')} · ${duration(one.ms)}`] : [];
  }
  for (const edge of edges.values()) edge.weight = edge.calls;
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}
