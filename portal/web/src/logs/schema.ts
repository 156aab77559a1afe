// What the portal's query API says of its tables, its words and a text.

import { get, send } from '../api/client';

export interface SchemaColumn {
  name: string;
  /** Its name in a workspace. */
  alias: string;
  type: string;
}

export interface SchemaTable {
  name: string;
  alias: string;
  columns: SchemaColumn[];
}

export interface Word {
  text: string;
  kind: 'operator' | 'function' | 'aggregate' | 'comparison';
  signature: string;
}

export interface Schema {
  tables: SchemaTable[];
  words: Word[];
}

export interface Fault {
  message: string;
  suggestion: string | null;
  code: string;
  line: number | null;
  column: number | null;
  /** In bytes. */
  offset: number | null;
  length: number | null;
}

export interface Checked {
  error: Fault | null;
  columns: { name: string; type: string }[];
}

export type Names = 'classic' | 'workspace';

export function loadSchema(): Promise<Schema> {
  return get<Schema>('/api/query/schema');
}

export function check(query: string): Promise<Checked> {
  return send<Checked>('POST', '/api/query/check', JSON.stringify({ query }));
}

export const nameOf = (one: { name: string; alias: string }, names: Names) => (names === 'classic' ? one.name : one.alias);

/** From the names of one side to those of the other, for the tables that a query uses. */
export function renames(schema: Schema, used: ReadonlySet<string>, to: Names): Map<string, string> {
  const from: Names = to === 'classic' ? 'workspace' : 'classic';
  const result = new Map<string, string>();
  for (const table of schema.tables) {
    if (!used.has(table.name) && !used.has(table.alias)) continue;
    for (const one of [table, ...table.columns]) if (!result.has(nameOf(one, from))) result.set(nameOf(one, from), nameOf(one, to));
  }
  return result;
}
