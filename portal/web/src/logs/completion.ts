// What may stand at the cursor: tables, operators, columns in scope, functions, keys of dimensions and their values.

import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import type { FieldInfo } from '../api/types';
import { placeOf } from '../lib/kqltokens';
import { check, nameOf, type Names, type Schema, type Word } from './schema';

/** What is known when something is completed. */
export interface Known {
  schema: () => Schema | undefined;
  names: () => Names;
  /** Dimensions and their most frequent values. */
  fields: () => readonly FieldInfo[];
}

const AFTER_OPERATOR = ['by', 'asc', 'desc', 'on', 'kind', 'true', 'false'];
/** Columns of the last pipelines that were asked about. */
const MOST_KNOWN = 50;
const columnsOf = new Map<string, Promise<{ name: string; type: string }[]>>();

function columns(pipeline: string): Promise<{ name: string; type: string }[]> {
  const known = columnsOf.get(pipeline);
  if (known) return known;
  if (columnsOf.size >= MOST_KNOWN) columnsOf.clear();
  const asked = check(pipeline).then((checked) => checked.columns, () => []);
  columnsOf.set(pipeline, asked);
  return asked;
}

const TYPES: Record<Word['kind'], string> = { operator: 'keyword', function: 'function', aggregate: 'function', comparison: 'keyword' };
const ofWord = (word: Word, boost = 0): Completion => ({ label: word.text, type: TYPES[word.kind], detail: word.kind === 'operator' ? '' : word.kind, info: word.signature, boost, ...(word.kind === 'function' || word.kind === 'aggregate' ? { apply: `${word.text}(` } : {}) });

export function completions({ schema, names, fields }: Known) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const known = schema();
    const text = context.state.doc.toString();
    const place = placeOf(text, context.pos);
    if (!known || place.kind === 'none') return null;
    if (place.from === context.pos && !context.explicit && place.kind !== 'value') return null;
    const { from } = place;
    const validFor = /^[\w$-]*$/;
    if (place.kind === 'table') {
      const lets = [...text.slice(0, from).matchAll(/\blet\s+(\w+)\s*=/g)].map((match): Completion => ({ label: match[1]!, type: 'variable', detail: 'let' }));
      const tables = known.tables.map((table): Completion => ({ label: nameOf(table, names()), type: 'type', detail: `${table.columns.length} columns` }));
      const begins = known.words.filter((word) => ['union', 'search', 'find', 'print', 'range', 'datatable'].includes(word.text)).map((word) => ofWord(word));
      return { from, options: [...tables, ...lets, ...begins], validFor };
    }
    if (place.kind === 'operator') return { from, options: known.words.filter((word) => word.kind === 'operator').map((word) => ofWord(word)), validFor };
    if (place.kind === 'value') return ofValue(place.column, place.isMember, from, fields());
    const inScope = place.pipeline === '' ? [] : await columns(place.pipeline);
    const wanted = new Map(known.tables.flatMap((table) => table.columns).map((column) => [column.name, nameOf(column, names())]));
    const own = inScope.map((column): Completion => ({ label: wanted.get(column.name) ?? column.name, type: 'variable', detail: column.type, boost: 50 }));
    const words = known.words.filter((word) => word.kind !== 'operator').map((word) => ofWord(word));
    return { from, options: [...own, ...words, ...AFTER_OPERATOR.map((label): Completion => ({ label, type: 'keyword' }))], validFor };
  };
}

/** Names of items' fields as columns call them. */
const FIELDS: Record<string, string> = { cloud_RoleName: 'role', cloud_RoleInstance: 'instance', AppRoleName: 'role', itemType: 'itemType' };

function ofValue(column: string, isMember: boolean, from: number, fields: readonly FieldInfo[]): CompletionResult | null {
  if (isMember) {
    const kind = /^(customMeasurements|Measurements)$/.test(column) ? 'measurement' : 'property';
    const keys = fields.filter((field) => field.kind === kind);
    return keys.length === 0 ? null : { from, options: keys.map((field): Completion => ({ label: field.field, type: 'property', detail: field.top.slice(0, 3).join(', ').slice(0, 60) })), validFor: /^[^"']*$/ };
  }
  const field = fields.find((one) => one.field === column || one.field === FIELDS[column]);
  return field && field.top.length > 0 ? { from, options: field.top.map((value): Completion => ({ label: value, type: 'text', apply: value.replaceAll('\\', '\\\\').replaceAll('"', '\\"') })), validFor: /^[^"']*$/ } : null;
}
