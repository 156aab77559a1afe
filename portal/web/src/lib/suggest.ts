// Suggestions for a search: fields, and the most frequent values of one field.

import type { FieldInfo } from '../api/types';

export interface Suggestion {
  /** The replacement of the last word. */
  insert: string;
  text: string;
  detail: string;
}

const WORD = /(?:^|[\s(])(-?)([^\s()]*)$/;

/** A value in the form after `field:`. */
export function quoted(value: string): string {
  return /^[\w.@/+-]+$/.test(value) ? value : `"${value.replaceAll('"', '\\"')}"`;
}

/** Suggestions for the word that ends at the cursor. */
export function suggest(text: string, fields: readonly FieldInfo[], most = 8): Suggestion[] {
  const word = WORD.exec(text)?.[2] ?? '';
  if (word === '') return [];
  const colon = /^([^:<>"]+)(:|[<>]=?)(.*)$/.exec(word);
  if (colon) {
    const field = fields.find((one) => one.field.toLowerCase() === colon[1]!.toLowerCase());
    const start = colon[3]!.replace(/^"/, '').toLowerCase();
    return (field?.top ?? [])
      .filter((value) => value.toLowerCase().includes(start))
      .slice(0, most)
      .map((value) => ({ insert: `${colon[1]}${colon[2]}${quoted(value)}`, text: value, detail: field?.field ?? '' }));
  }
  if (word.startsWith('"') || word.length < 2) return [];
  return fields
    .filter((field) => field.field.toLowerCase().includes(word.toLowerCase()))
    .sort((a, b) => Number(b.field.toLowerCase().startsWith(word.toLowerCase())) - Number(a.field.toLowerCase().startsWith(word.toLowerCase())))
    .slice(0, most)
    .map((field) => ({ insert: `${field.field}:`, text: field.field, detail: field.kind === 'property' ? 'property' : field.kind }));
}

/** A text with its last word replaced. */
export function complete(text: string, suggestion: Suggestion): string {
  const word = WORD.exec(text)?.[2] ?? '';
  return `${text.slice(0, text.length - word.length)}${suggestion.insert}${suggestion.insert.endsWith(':') ? '' : ' '}`;
}
