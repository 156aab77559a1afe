// KQL for the editor: colours of its tokens.

import { HighlightStyle, StreamLanguage, syntaxHighlighting } from '@codemirror/language';
import { tags } from '@lezer/highlight';
import { tokens } from '../lib/kqltokens';

const WORDS = /^(?:and|or|not|between|in|has|contains|startswith|endswith|hasprefix|hassuffix|has_any|has_all|matches|regex|by|on|with|kind|asc|desc|nulls|first|last|let|datatable|from|to|step|typeof|true|false|null)(?:_cs)?$/;

interface State {
  /** Inside a text of several lines. */
  isLong: boolean;
  /** The next word is an operator. */
  isPiped: boolean;
  /** A pipeline begins. */
  isStart: boolean;
}

/** A language whose tables are coloured as such. */
export function language(tables: () => ReadonlySet<string>): StreamLanguage<State> {
  return StreamLanguage.define<State>({
    name: 'kql',
    startState: () => ({ isLong: false, isPiped: false, isStart: true }),
    token(stream, state) {
      if (state.isLong || stream.match('```')) {
        state.isLong = !stream.skipTo('```');
        if (state.isLong) stream.skipToEnd();
        else stream.match('```');
        return 'string';
      }
      if (stream.eatSpace()) return null;
      const [token] = tokens(stream.string.slice(stream.pos));
      if (token === undefined) {
        stream.skipToEnd();
        return null;
      }
      stream.pos += token.text.length;
      const { isPiped, isStart } = state;
      if (token.kind !== 'comment') {
        state.isPiped = token.kind === 'pipe';
        state.isStart = token.text === ';';
      }
      switch (token.kind) {
        case 'comment':
        case 'string':
        case 'number':
          return token.kind;
        case 'pipe':
          return 'operator';
        case 'sign':
          return null;
        case 'word': {
          if (isPiped || WORDS.test(token.text)) return 'keyword';
          if (isStart || tables().has(token.text)) return 'typeName';
          return /^\s*\(/.test(stream.string.slice(stream.pos)) ? 'function' : 'variableName';
        }
      }
    },
    tokenTable: { function: tags.function(tags.variableName) },
    languageData: { commentTokens: { line: '//' }, closeBrackets: { brackets: ['(', '[', '{', '"', "'"] } },
  });
}

export const highlighting = syntaxHighlighting(
  HighlightStyle.define([
    { tag: tags.comment, color: 'var(--text3)', fontStyle: 'italic' },
    { tag: tags.string, color: 'var(--k3)' },
    { tag: tags.number, color: 'var(--ok)' },
    { tag: tags.keyword, color: 'var(--accent-text)' },
    { tag: tags.operator, color: 'var(--text2)' },
    { tag: tags.typeName, color: 'var(--k1)' },
    { tag: tags.function(tags.variableName), color: 'var(--info)' },
  ]),
);
