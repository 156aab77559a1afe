// The rows of a query: how they are ordered, shown and copied.

import { line } from './format';

export interface Column {
  name: string;
  /** Kusto's name of the type. */
  type: string;
}

/** As the query API writes a value: dynamics and times are texts. */
export type Cell = string | number | boolean | null;

export interface Answer {
  columns: Column[];
  rows: Cell[][];
  render: { visualization?: string; [property: string]: unknown };
  notes: string[];
  /** In s. */
  seconds: number;
  /** Rows that the tables returned. */
  read: number;
  /** Why rows are missing. */
  partial: string | undefined;
}

interface Body {
  tables: { columns: Column[]; rows: Cell[][] }[];
  render?: Answer['render'];
  statistics?: { query?: { executionTime?: number; inputDatasetStatistics?: { rows?: { scanned?: number } }; notes?: string[] } };
  error?: { details?: { message: string }[]; message: string };
}

export function answerOf(body: Body): Answer {
  const table = body.tables[0] ?? { columns: [], rows: [] };
  const { executionTime = 0, inputDatasetStatistics, notes = [] } = body.statistics?.query ?? {};
  return { columns: table.columns, rows: table.rows, render: body.render ?? {}, notes, seconds: executionTime, read: inputDatasetStatistics?.rows?.scanned ?? 0, partial: body.error ? (body.error.details?.[0]?.message ?? body.error.message) : undefined };
}

const NUMBERS = new Set(['int', 'long', 'real', 'decimal']);

export function isNumber({ type }: Column): boolean {
  return NUMBERS.has(type);
}

function numeric(cell: Cell): number {
  return typeof cell === 'number' ? cell : typeof cell === 'string' ? Number(cell) : Number.NaN;
}

/** Rows in another order; nulls come last either way. */
export function sorted(rows: readonly number[], answer: Answer, column: number, descending: boolean): number[] {
  const { columns } = answer;
  const asNumber = columns[column] !== undefined && isNumber(columns[column]);
  const value = (row: number) => answer.rows[row]?.[column] ?? null;
  const isNothing = (cell: Cell) => cell === null || (asNumber && Number.isNaN(numeric(cell)));
  const compare = (a: Cell, b: Cell) => (asNumber ? numeric(a) - numeric(b) : String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0);
  return [...rows].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (isNothing(x) || isNothing(y)) return Number(isNothing(x)) - Number(isNothing(y)) || a - b;
    return (descending ? -compare(x, y) : compare(x, y)) || a - b;
  });
}

const FEW_DIGITS = new Intl.NumberFormat(undefined, { maximumFractionDigits: 3 });

/** A cell as it is shown. */
export function shown(cell: Cell, column: Column): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return column.type === 'real' ? FEW_DIGITS.format(cell) : cell.toLocaleString();
  if (column.type === 'datetime') return String(cell).replace('T', ' ').replace(/(\.\d{3})\d+/, '$1').replace('Z', '');
  return line(String(cell), 400);
}

const WIDTH_ROWS = 200;

/** Widths of columns in pixels, from the first rows, so that they stay while rows come. */
export function widths({ columns, rows }: Answer): number[] {
  return columns.map((column, c) => {
    let most = column.name.length + column.type.length * 0.9 + 3;
    for (const row of rows.slice(0, WIDTH_ROWS)) most = Math.max(most, shown(row[c] ?? null, column).length);
    return Math.min(420, Math.max(76, Math.round(most * 7.4) + 14));
  });
}

const text = (cell: Cell) => (cell === null ? '' : String(cell));
/** A text that a spreadsheet would take for a formula stays a text. */
const guarded = (cell: Cell) => (typeof cell === 'string' && /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : text(cell));
const quoted = (value: string) => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

export function csv({ columns, rows }: Answer, order: readonly number[]): string {
  return [columns.map((column) => quoted(column.name)), ...order.map((row) => (rows[row] ?? []).map((cell) => quoted(guarded(cell))))].map((cells) => cells.join(',')).join('\r\n');
}

/** An array of objects; dynamics are parsed. */
export function json({ columns, rows }: Answer, order: readonly number[]): string {
  const value = (cell: Cell, column: Column): unknown => {
    if (column.type !== 'dynamic' || typeof cell !== 'string') return cell;
    try {
      return JSON.parse(cell);
    } catch {
      return cell;
    }
  };
  return JSON.stringify(order.map((row) => Object.fromEntries(columns.map((column, c) => [column.name, value(rows[row]?.[c] ?? null, column)]))), null, 2);
}

export function markdown({ columns, rows }: Answer, order: readonly number[]): string {
  const cell = (value: string) => line(value, 2000).replaceAll('\\', '\\\\').replaceAll('|', '\\|');
  const list = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [list(columns.map((column) => cell(column.name))), list(columns.map((column) => (isNumber(column) ? '--:' : '---'))), ...order.map((row) => list((rows[row] ?? []).map((value) => cell(text(value)))))].join('\n');
}
