// A graph of calls: its nodes and edges, their layout, and the navigation by keys.

import type { Category } from '../api/types';

export interface CanvasNode {
  id: string;
  kind: 'role' | 'dependency';
  name: string;
  category: Category;
  /** Lines of numbers below the name. */
  lines: string[];
  failedShare: number;
  /** Against another run. */
  change?: 'new' | 'gone' | undefined;
}

export interface CanvasEdge {
  id: string;
  source: string;
  target: string;
  lines: string[];
  failedShare: number;
  /** Calls; the width is their logarithm. */
  weight: number;
  change?: 'new' | 'gone' | undefined;
}

export interface Placed {
  x: number;
  y: number;
}

export interface Layout {
  nodes: Map<string, Placed>;
  labels: Map<string, Placed>;
  width: number;
  height: number;
}

export const NODE = { role: { width: 204, height: 76 }, dependency: { width: 204, height: 46 } } as const;
const LABEL = { width: 96, height: 36 };

/** Lays a graph out; the library is loaded with the first map. */
export async function layout(nodes: readonly CanvasNode[], edges: readonly CanvasEdge[], direction: 'LR' | 'TB'): Promise<Layout> {
  const { default: dagre } = await import('@dagrejs/dagre');
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: direction, nodesep: 34, ranksep: direction === 'LR' ? 60 : 50, edgesep: 16, marginx: 16, marginy: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  // The order of callers decides the order of rows, so that the same graph always looks the same.
  const sorted = [...nodes].sort((a, b) => (a.kind === b.kind ? a.id.localeCompare(b.id) : a.kind === 'role' ? -1 : 1));
  for (const node of sorted) graph.setNode(node.id, { ...NODE[node.kind] });
  for (const edge of edges) {
    if (edge.source !== edge.target && graph.hasNode(edge.source) && graph.hasNode(edge.target)) graph.setEdge(edge.source, edge.target, { ...LABEL, labelpos: 'c', weight: 1 + Math.log10(1 + edge.weight) }, edge.id);
  }
  dagre.layout(graph);
  const placed = new Map<string, Placed>();
  for (const id of graph.nodes()) {
    const at = graph.node(id) as unknown as Placed;
    placed.set(id, { x: at.x, y: at.y });
  }
  const labels = new Map<string, Placed>();
  for (const edge of graph.edges()) {
    const at = graph.edge(edge) as unknown as Placed;
    labels.set(edge.name ?? '', { x: at.x, y: at.y });
  }
  const size = graph.graph() as { width?: number; height?: number };
  return { nodes: placed, labels, width: Number.isFinite(size.width) ? (size.width ?? 0) : 0, height: Number.isFinite(size.height) ? (size.height ?? 0) : 0 };
}

/** The inputs of the layout: the sets of nodes and edges, not their numbers. */
export function shapeOf(nodes: readonly CanvasNode[], edges: readonly CanvasEdge[]): string {
  return JSON.stringify([nodes.map((node) => node.id).sort(), edges.map((edge) => edge.id).sort()]);
}

/** The name in the id of a node, `role:NAME` or `dependency:TYPE|NAME`. */
export function nameOf(id: string): string {
  return id.replace(/^(?:role:|dependency:[^|]*\|)/, '') || 'no role name';
}

/** Width of an edge's line, in pixels. */
export function strokeOf(weight: number): number {
  return 1.4 + Math.min(4, Math.log10(1 + weight) * 0.75);
}

/** From the right of one node through the label to the left of another. */
export function curve(from: Placed, to: Placed, label: Placed | undefined, halfFrom: number, halfTo: number): string {
  const forward = to.x >= from.x;
  const [x1, x2] = forward ? [from.x + halfFrom, to.x - halfTo - 7] : [from.x - halfFrom, to.x + halfTo + 7];
  const mid = label ?? { x: (x1 + x2) / 2, y: (from.y + to.y) / 2 };
  const [a, b] = [(mid.x - x1) * 0.5, (x2 - mid.x) * 0.5];
  return `M${x1} ${from.y}C${x1 + a} ${from.y} ${mid.x - a} ${mid.y} ${mid.x} ${mid.y}C${mid.x + b} ${mid.y} ${x2 - b} ${to.y} ${x2} ${to.y}`;
}

/** The node that an arrow leads to: along edges sideways, to the nearest of the same column up and down. */
export function walk(at: string, key: string, edges: readonly CanvasEdge[], places: ReadonlyMap<string, Placed>): string | undefined {
  const here = places.get(at);
  if (!here) return undefined;
  const near = (ids: string[]) => ids.filter((id) => id !== at && places.has(id)).sort((a, b) => distance(places.get(a)!, here) - distance(places.get(b)!, here))[0];
  if (key === 'ArrowRight') return near(edges.filter((edge) => edge.source === at).map((edge) => edge.target));
  if (key === 'ArrowLeft') return near(edges.filter((edge) => edge.target === at).map((edge) => edge.source));
  const side = key === 'ArrowDown' ? 1 : key === 'ArrowUp' ? -1 : 0;
  if (side === 0) return undefined;
  return near([...places.keys()].filter((id) => Math.abs(places.get(id)!.x - here.x) < NODE.role.width && (places.get(id)!.y - here.y) * side > 0));
}

function distance(a: Placed, b: Placed): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

export type NodeFilter = { id: string; mode: 'both' | 'sources' | 'targets' | 'only' };

/** The nodes that a filter leaves. */
export function neighbourhood(filter: NodeFilter, edges: readonly Pick<CanvasEdge, 'source' | 'target'>[]): Set<string> {
  const kept = new Set([filter.id]);
  for (const { source, target } of edges) {
    if ((filter.mode === 'both' || filter.mode === 'targets') && source === filter.id) kept.add(target);
    if ((filter.mode === 'both' || filter.mode === 'sources') && target === filter.id) kept.add(source);
  }
  return kept;
}

/** What of a drawing is seen: its zoom, and where its origin lies. */
export interface View {
  x: number;
  y: number;
  z: number;
}

export const ZOOM = { least: 0.15, most: 3 };

/** A view as `zoom,x,y`. */
export function formatView({ x, y, z }: View): string {
  return `${Math.round(z * 100) / 100},${Math.round(x)},${Math.round(y)}`;
}

export function parseView(text: string): View | undefined {
  const match = /^(\d+(?:\.\d+)?),(-?\d{1,6}),(-?\d{1,6})$/.exec(text);
  const z = Number(match?.[1]);
  return match && z >= ZOOM.least && z <= ZOOM.most ? { z, x: Number(match[2]), y: Number(match[3]) } : undefined;
}
