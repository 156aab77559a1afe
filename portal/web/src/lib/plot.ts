// Options of uPlot for the charts: colours from tokens, markers of runs, hatching before the stored data.

import uPlot from 'uplot';
import { clock, time } from './format';
import { ticks, timeTicks } from './scale';
import { lonely, type Buckets, type Line, stacked } from './series';

export interface Marker {
  at: number;
  label: string;
}

export interface Point {
  at: number;
  value: number;
  failed: boolean;
  /** The id of the item that a click opens. */
  id: string;
}

/** A moment that the time axis names. */
export interface Named {
  at: number;
  label: string;
}

export interface PlotSettings {
  lines: Line[];
  buckets: Buckets;
  width: number;
  height: number;
  isStacked: boolean;
  markers: Marker[];
  oldest: number | undefined;
  points: Point[];
  faded: string | undefined;
  axis: (value: number) => string;
  /** What the time axis names, instead of round times. */
  named: Named[] | undefined;
  sync: string | undefined;
  color: (token: string) => string;
  onselect: (from: number, to: number) => void;
  oncursor: (index: number | null, left: number, top: number) => void;
}

const FONT = '11px Inter, "Segoe UI", system-ui, sans-serif';
const BAR = uPlot.paths.bars?.({ size: [0.82, 24], align: 1, radius: 0.12 });
const LINE = uPlot.paths.linear?.();

/** A colour of the tokens with less of it. */
export function faint(hex: string, share: number): string {
  return `${hex}${Math.round(share * 255).toString(16).padStart(2, '0')}`;
}

export function data({ lines, buckets, isStacked }: PlotSettings): uPlot.AlignedData {
  const xs = Array.from({ length: buckets.count }, (_, i) => buckets.start + i * buckets.step);
  const front = lines.filter((line) => line.behind !== true);
  const back = lines.filter((line) => line.behind === true);
  const values = isStacked ? stacked(front.map((line) => line.values)).reverse() : front.map((line) => line.values);
  return [xs, ...back.map((line) => line.values), ...values] as uPlot.AlignedData;
}

/** The lines in the order of {@link data}: background first, then a stack from its top down. */
export function drawn(lines: Line[], isStacked: boolean): Line[] {
  const front = lines.filter((line) => line.behind !== true);
  return [...lines.filter((line) => line.behind === true), ...(isStacked ? front.reverse() : front)];
}

/** Options of a chart. What may change while it is shown is read from the settings when it is needed. */
export function options(settings: PlotSettings): uPlot.Options {
  const { lines, width, height, isStacked, color, sync } = settings;
  const grid = { stroke: color('line'), width: 1 };
  return {
    width,
    height,
    ms: 1,
    padding: [12, 18, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: true, range: () => [settings.buckets.start, settings.buckets.start + Math.max(1, settings.buckets.count) * settings.buckets.step] },
      y: { range: (_, __, max) => [0, ticks(max).at(-1) ?? 1] },
      back: { range: (_, __, max) => [0, Math.max(1, max) * 1.8] },
    },
    axes: [
      {
        font: FONT,
        size: 22,
        gap: 4,
        stroke: color('text3'),
        grid: { show: false },
        ticks: { show: false },
        border: { show: true, stroke: color('line2'), width: 1 },
        splits: (_, __, min, max) => settings.named?.map(({ at }) => at) ?? timeTicks(min, max, Math.max(3, Math.floor(settings.width / 72))),
        values: (_, splits) => settings.named?.map(({ label }) => label) ?? splits.map((at, i) => ((splits[1] ?? at) - (splits[0] ?? at) < 60_000 && splits.length > 1 ? time(at) : clock(at)) || String(i)),
      },
      {
        font: FONT,
        size: (_, values) => 12 + Math.max(0, ...(values ?? []).map((value) => value.length)) * 6.3,
        gap: 6,
        stroke: color('text3'),
        grid,
        ticks: { show: false },
        splits: (_, __, ___, max) => ticks(max),
        values: (_, splits) => splits.map((value) => settings.axis(value)),
      },
    ],
    series: [
      {},
      ...drawn(lines, isStacked).map((line): uPlot.Series => {
        const base = color(line.color);
        const stroke = settings.faded !== undefined && settings.faded !== line.name ? faint(base, 0.25) : base;
        if (line.kind === 'bar') {
          const fill = line.behind === true ? faint(base, 0.3) : stroke;
          return { label: line.name, scale: line.behind === true ? 'back' : 'y', fill, stroke: fill, width: 0, points: { show: false }, ...(BAR ? { paths: BAR } : {}) };
        }
        return {
          label: line.name,
          scale: line.behind === true ? 'back' : 'y',
          stroke,
          width: 1.5,
          spanGaps: false,
          points: { show: () => false, filter: (u, s) => lonely(u.data[s] as (number | null)[]), size: 4, fill: stroke },
          ...(line.dashed === true ? { dash: [4, 3] } : {}),
          ...(line.kind === 'area' ? { fill: faint(base, 0.12) } : {}),
          ...(LINE ? { paths: LINE } : {}),
        };
      }),
    ],
    cursor: {
      y: false,
      points: { size: 6, width: 1.5, stroke: () => color('surface'), fill: (u, s) => String((u.series[s]?.stroke as unknown as (() => string) | undefined)?.() ?? color('accent')) },
      drag: { x: true, y: false, setScale: false },
      // The component listens for a double click.
      bind: { dblclick: () => null },
      ...(sync === undefined ? {} : { sync: { key: sync, filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave', sub: (type) => type === 'mousemove' || type === 'mouseleave' } } }),
    },
    hooks: {
      drawClear: [(u) => drawHatch(u, settings)],
      draw: [(u) => drawMarkers(u, settings), (u) => drawPoints(u, settings)],
      setCursor: [(u) => settings.oncursor(u.cursor.idx ?? null, u.cursor.left ?? -1, u.cursor.top ?? -1)],
      setSelect: [
        (u) => {
          if (u.select.width < 4) return;
          const [from, to] = [u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x')];
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          settings.onselect(snap(from, settings.buckets, Math.floor), snap(to, settings.buckets, Math.ceil));
        },
      ],
    },
  };
}

function snap(at: number, { start, step }: Buckets, round: (value: number) => number): number {
  return start + round((at - start) / step) * step;
}

function drawHatch(u: uPlot, { oldest, color }: PlotSettings): void {
  if (oldest === undefined) return;
  const { left, top, width, height } = u.bbox;
  const end = Math.min(left + width, u.valToPos(oldest, 'x', true));
  if (end > left) hatch(u.ctx, { left, top, width: end - left, height }, color('line2'), devicePixelRatio);
}

/** Hatches a part of a chart; `scale` is the width of a line. */
export function hatch(ctx: CanvasRenderingContext2D, { left, top, width, height }: { left: number; top: number; width: number; height: number }, color: string, scale: number): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.strokeStyle = color;
  ctx.lineWidth = scale;
  ctx.beginPath();
  for (let x = left - height; x < left + width; x += 8 * scale) {
    ctx.moveTo(x, top + height);
    ctx.lineTo(x + height, top);
  }
  ctx.stroke();
  ctx.restore();
}

function drawMarkers(u: uPlot, { markers, color }: PlotSettings): void {
  const { ctx } = u;
  const { left, top, width, height } = u.bbox;
  ctx.save();
  ctx.strokeStyle = color('accent');
  ctx.fillStyle = color('accent-text');
  ctx.lineWidth = 1.2 * devicePixelRatio;
  ctx.font = `500 ${11 * devicePixelRatio}px Inter, "Segoe UI", system-ui, sans-serif`;
  ctx.textBaseline = 'alphabetic';
  let labelled = -Infinity;
  for (const { at, label } of markers) {
    const x = Math.round(u.valToPos(at, 'x', true)) + 0.5;
    if (x < left || x > left + width) continue;
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(x, top - 4 * devicePixelRatio);
    ctx.lineTo(x, top + height);
    ctx.stroke();
    const size = ctx.measureText(label).width;
    if (x - labelled < size + 12 * devicePixelRatio) continue;
    const right = x + size + 6 * devicePixelRatio <= left + width;
    ctx.textAlign = right ? 'left' : 'right';
    ctx.fillText(label, x + (right ? 4 : -4) * devicePixelRatio, top + 4 * devicePixelRatio);
    labelled = x;
  }
  ctx.restore();
}

function drawPoints(u: uPlot, { points, color }: PlotSettings): void {
  const { ctx } = u;
  ctx.save();
  ctx.lineWidth = 1.5 * devicePixelRatio;
  for (const { at, value, failed } of points) {
    const [x, y] = [u.valToPos(at, 'x', true), Math.max(u.bbox.top, u.valToPos(value, 'y', true))];
    const size = (failed ? 5 : 3.5) * devicePixelRatio;
    ctx.beginPath();
    if (failed) {
      ctx.moveTo(x, y - size);
      ctx.lineTo(x + size, y);
      ctx.lineTo(x, y + size);
      ctx.lineTo(x - size, y);
      ctx.closePath();
      ctx.fillStyle = color('bad');
      ctx.fill();
    } else {
      ctx.arc(x, y, size, 0, Math.PI * 2);
      ctx.fillStyle = color('surface');
      ctx.fill();
      ctx.strokeStyle = color('text');
      ctx.stroke();
    }
  }
  ctx.restore();
}
