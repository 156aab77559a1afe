import { describe, expect, it } from 'vitest';
import type { Answer, Cell, Column } from './answer';
import { drawingOf } from './drawing';

const answer = (columns: Column[], rows: Cell[][], render: Answer['render']): Answer => ({ columns, rows, render, notes: [], seconds: 0, read: 0, partial: undefined });
const time = { name: 'timestamp', type: 'datetime' };
const count = { name: 'count_', type: 'long' };
const name = { name: 'name', type: 'string' };
const minute = (m: number) => `2026-11-20T14:0${m}:00Z`;

describe('render', () => {
  it('timechart makes a line of each value of a text column, with gaps where it has none', () => {
    const drawing = drawingOf(answer([time, name, count], [[minute(1), 'a', 3], [minute(0), 'a', 1], [minute(3), 'b', 9]], { visualization: 'timechart' }));
    expect(drawing).toMatchObject({ kind: 'time', stacked: false, buckets: { step: 60_000, count: 4 } });
    if (drawing.kind === 'time') expect(drawing.lines.map((line) => [line.name, line.kind, line.values])).toEqual([['b', 'line', [null, null, null, 9]], ['a', 'line', [1, 3, null, null]]]);
  });
  it('columnchart over time is bars on each other', () => expect(drawingOf(answer([time, name, count], [[minute(0), 'a', 3], [minute(1), 'b', 1]], { visualization: 'columnchart' }))).toMatchObject({ kind: 'time', stacked: true, lines: [{ kind: 'bar' }, { kind: 'bar' }] }));
  it('make-series is drawn from its arrays', () => {
    const drawing = drawingOf(answer([name, { name: 'n', type: 'dynamic' }, { name: 'timestamp', type: 'dynamic' }], [['a', '[1,2]', `["${minute(0)}","${minute(1)}"]`]], { visualization: 'timechart' }));
    expect(drawing).toMatchObject({ kind: 'time', lines: [{ name: 'a', values: [1, 2] }] });
  });
  it('barchart and columnchart of texts are bars, lying and upright', () => {
    const bars = answer([name, count], [['a', 3], ['b', null]], { visualization: 'barchart' });
    expect(drawingOf(bars)).toEqual({ kind: 'bars', names: ['count_'], bars: [{ label: 'a', values: [3] }, { label: 'b', values: [0] }], upright: false, stacked: false, left: 0 });
    expect(drawingOf(bars, 'columnchart')).toMatchObject({ upright: true });
  });
  it('piechart adds small slices up', () => {
    const rows = Array.from({ length: 12 }, (_, i): Cell[] => [`s${i}`, i]);
    const drawing = drawingOf(answer([name, count], rows, { visualization: 'piechart' }));
    expect(drawing).toMatchObject({ kind: 'pie', total: 66 });
    if (drawing.kind === 'pie') expect([drawing.slices.length, drawing.slices.at(-1)]).toEqual([9, { label: '4 others', value: 6 }]);
  });
  it('card shows the numbers of the first row', () => expect(drawingOf(answer([name, count], [['a', 3]], { visualization: 'card' }))).toEqual({ kind: 'stat', numbers: [{ label: 'count_', value: 3 }] }));
  it('what cannot be drawn says why', () => {
    expect(drawingOf(answer([name, count], [['a', 1]], { visualization: 'timechart' }))).toMatchObject({ kind: 'none' });
    expect(drawingOf(answer([name], [['a']], { visualization: 'piechart' }))).toMatchObject({ kind: 'none' });
    expect(drawingOf(answer([name, count], [], { visualization: 'timechart' }))).toEqual({ kind: 'table' });
  });
  it('moments far apart do not make an endless axis', () => {
    const drawing = drawingOf(answer([time, count], [['1970-01-01T00:00:00.001Z', 1], ['1970-01-01T00:00:00.002Z', 1], ['2026-01-01T00:00:00Z', 1]], { visualization: 'timechart' }));
    if (drawing.kind === 'time') expect(drawing.buckets.count).toBeLessThan(2100);
    else expect.unreachable();
  });
});
