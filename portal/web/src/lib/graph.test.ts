import { describe, expect, it } from 'vitest';
import { type CanvasEdge, type CanvasNode, formatView, layout, neighbourhood, parseView, shapeOf, strokeOf, walk } from './graph';

const node = (id: string): CanvasNode => ({ id, kind: id.startsWith('d') ? 'dependency' : 'role', name: id, category: 'http', lines: [], failedShare: 0 });
const edge = (source: string, target: string): CanvasEdge => ({ id: `${source}>${target}`, source, target, lines: [], failedShare: 0, weight: 10 });
const nodes = ['web', 'shop', 'stock', 'd-cache'].map(node);
const edges = [edge('web', 'shop'), edge('shop', 'stock'), edge('shop', 'd-cache'), edge('shop', 'shop'), edge('shop', 'missing')];

describe('the layout of a map', () => {
  it('goes from callers at the left to what they call at the right', async () => {
    const placed = await layout(nodes, edges, 'LR');
    const x = (id: string) => placed.nodes.get(id)!.x;
    expect(x('web')).toBeLessThan(x('shop'));
    expect(x('shop')).toBeLessThan(x('stock'));
    expect(x('stock')).toBe(x('d-cache'));
  });
  it('is the same whatever the order of what arrives', async () => {
    const [a, b] = [await layout(nodes, edges.slice(0, 3), 'LR'), await layout(nodes.toReversed(), edges.slice(0, 3), 'LR')];
    expect(a.nodes).toEqual(new Map([...b.nodes].sort()) && a.nodes);
    for (const [id, place] of a.nodes) expect(b.nodes.get(id)).toEqual(place);
  });
  it('is made again only when nodes or edges came or went', () => {
    expect(shapeOf(nodes, edges)).toBe(shapeOf(nodes.map((one) => ({ ...one, lines: ['changed'] })), edges.toReversed()));
    expect(shapeOf(nodes.slice(1), edges)).not.toBe(shapeOf(nodes, edges));
  });
  it('a circle and an empty graph are laid out too', async () => {
    expect((await layout([node('a'), node('b')], [edge('a', 'b'), edge('b', 'a')], 'LR')).nodes.size).toBe(2);
    expect((await layout([], [], 'LR')).nodes.size).toBe(0);
  });
});

it('arrows follow edges, and go up and down a column', async () => {
  const { nodes: places } = await layout(nodes, edges, 'LR');
  expect(walk('web', 'ArrowRight', edges, places)).toBe('shop');
  expect(walk('shop', 'ArrowLeft', edges, places)).toBe('web');
  expect(walk('web', 'ArrowLeft', edges, places)).toBeUndefined();
  const [upper, lower] = ['stock', 'd-cache'].sort((a, b) => places.get(a)!.y - places.get(b)!.y) as [string, string];
  expect(walk(upper, 'ArrowDown', edges, places)).toBe(lower);
  expect(walk(lower, 'ArrowUp', edges, places)).toBe(upper);
});

it('a filter leaves a node with its sources, its targets, or both', () => {
  const left = (mode: 'both' | 'sources' | 'targets' | 'only') => [...neighbourhood({ id: 'shop', mode }, edges)].sort();
  expect(left('only')).toEqual(['shop']);
  expect(left('sources')).toEqual(['shop', 'web']);
  expect(left('both')).toEqual(['d-cache', 'missing', 'shop', 'stock', 'web']);
});

it('more calls make a wider line, within bounds', () => {
  expect(strokeOf(0)).toBeLessThan(strokeOf(1000));
  expect(strokeOf(1e12)).toBeLessThanOrEqual(5.4);
});

describe('what is seen of a map', () => {
  it('survives its address', () => expect(parseView(formatView({ x: -120.4, y: 33.6, z: 0.8333 }))).toEqual({ x: -120, y: 34, z: 0.83 }));
  it.each(['', '1', '1,2', '0,1,1', '9,1,1', '1,2,3,4', 'a,b,c', '1,1e9,2'])('%o is nothing', (text) => expect(parseView(text)).toBeUndefined());
});
