// The lexis of KQL: enough to colour it, to see where the cursor is, and to find a filter by time.

export type TokenKind = 'comment' | 'string' | 'number' | 'word' | 'pipe' | 'sign';

export interface Token {
  kind: TokenKind;
  text: string;
  start: number;
}

const TOKEN =
  /(\/\/[^\n]*)|([hH]?(?:```[\s\S]*?(?:```|$)|@"(?:[^"]|"")*"?|@'(?:[^']|'')*'?|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?))|(\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?[a-zA-Z]*)|((?:project-(?:away|keep|rename|reorder)|mv-(?:expand|apply)|make-series|parse-(?:where|kv)|sample-distinct|top-(?:nested|hitters))\b|[A-Za-z_$][\w$]*)|(\|)|([^\s])/g;
const KINDS: readonly TokenKind[] = ['comment', 'string', 'number', 'word', 'pipe', 'sign'];

/** Every token but blanks. */
export function tokens(text: string): Token[] {
  const result: Token[] = [];
  for (const match of text.matchAll(TOKEN)) {
    const group = match.slice(1).findIndex((part) => part !== undefined);
    result.push({ kind: KINDS[group] ?? 'sign', text: match[0], start: match.index });
  }
  return result;
}

const TIME_COLUMNS = new Set(['timestamp', 'TimeGenerated']);

/** Whether a query compares the time of its rows, so that no other range is to be laid over it. */
export function hasTimeFilter(text: string): boolean {
  const list = tokens(text).filter((token) => token.kind !== 'comment');
  const sign = (at: number) => list[at]?.text ?? '';
  return list.some((token, i) => {
    if (token.kind !== 'word' || !TIME_COLUMNS.has(token.text)) return false;
    const next = sign(i + 1);
    const after = sign(i + 2);
    return next === '>' || next === '<' || ((next === '=' || next === '!') && (after === '=' || after === '~')) || next === 'between' || (next === '!' && after === 'between') || sign(i - 1) === '>' || sign(i - 1) === '<' || (sign(i - 1) === '=' && ['>', '<', '=', '!'].includes(sign(i - 2)));
  });
}

/** What stands around the cursor. */
export interface Place {
  /** `table`: at the begin of a pipeline; `operator`: after a pipe; `value`: inside a text; `none`: in a comment or a number. */
  kind: 'table' | 'operator' | 'expression' | 'value' | 'none';
  /** The pipeline before the last pipe; its columns are in scope. */
  pipeline: string;
  /** Where the word begins that is being written. */
  from: number;
  /** The column that a text is compared with, or whose member is named. */
  column: string;
  /** Whether a member is named: `column["` or `column.`. */
  isMember: boolean;
}

/** Where the cursor is in a query. */
export function placeOf(text: string, cursor: number): Place {
  const before = tokens(text.slice(0, cursor));
  const last = before.at(-1);
  const touches = last !== undefined && last.start + last.text.length === cursor;
  const inside = touches && (last.kind === 'comment' || last.kind === 'number');
  const open = last?.kind === 'string' && touches && isOpen(last.text);
  const word = touches && last.kind === 'word' ? last : undefined;
  const rest = word || open ? before.slice(0, -1) : before;
  const from = word ? word.start : open ? last.start + (last.text.length - last.text.replace(/^[hH]?@?["']/, '').length) : cursor;
  const significant = rest.filter((token) => token.kind !== 'comment');

  // The innermost parenthesis or statement that is open here.
  const starts = [0];
  for (const [i, token] of significant.entries()) {
    if (token.text === '(') starts.push(i + 1);
    else if (token.text === ')' && starts.length > 1) starts.pop();
    else if (token.text === ';') starts.splice(0, starts.length, i + 1);
  }
  const lets = text.slice(0, (significant[starts[0]! - 1]?.start ?? -1) + 1);
  let begin = starts.at(-1)!;
  // In a call or a list the pipeline around it is meant.
  while (starts.length > 1 && !startsPipeline(significant, begin)) {
    starts.pop();
    begin = starts.at(-1)!;
  }
  const depth = significant.slice(begin);
  const pipes = topLevelPipes(depth);
  const lastPipe = pipes.at(-1);
  const first = depth[0];
  const pipeline = lastPipe === undefined ? (first ? text.slice(first.start, endOf(depth)) : '') : text.slice(first?.start ?? 0, lastPipe.start);
  const previous = significant.at(-1);
  const place = { pipeline: `${lets}${pipeline}`.trim(), from, column: '', isMember: false };
  if (inside) return { ...place, kind: 'none' };
  if (previous?.text === '.' && significant.at(-2)?.kind === 'word') return { ...place, kind: 'value', column: significant.at(-2)!.text, isMember: true };
  if (open) {
    const isMember = previous?.text === '[';
    const column = isMember ? significant.at(-2) : comparedColumn(significant);
    return { ...place, kind: 'value', column: column?.text ?? '', isMember };
  }
  if (depth.length === 0) return { ...place, pipeline: '', kind: 'table' };
  if (previous?.kind === 'pipe') return { ...place, kind: 'operator' };
  return { ...place, kind: 'expression' };
}

function isOpen(text: string): boolean {
  const body = text.replace(/^[hH]?@?/, '');
  return body.length === 1 || body[0] !== body.at(-1) || /(?:^|[^\\])(?:\\\\)*\\["']$/.test(body);
}

/** Whether what is open at an index is a pipeline of its own, such as after `join (`. */
function startsPipeline(list: Token[], begin: number): boolean {
  let at = begin - 2;
  // `join kind=inner (`: properties stand between.
  while (at >= 2 && list[at - 1]?.text === '=') at -= 3;
  const word = list[at];
  return word === undefined || /^(join|union|lookup|in|materialize|toscalar|=|;|,|\()$/.test(word.text) || word.kind === 'sign' && word.text !== ')';
}

function topLevelPipes(list: Token[]): Token[] {
  let depth = 0;
  return list.filter((token) => {
    if (token.text === '(') depth += 1;
    else if (token.text === ')') depth -= 1;
    return token.kind === 'pipe' && depth === 0;
  });
}

function endOf(list: Token[]): number {
  const first = list[0]!;
  return first.start + first.text.length;
}

/** `where name == "`: the column before the comparison. */
function comparedColumn(list: Token[]): Token | undefined {
  for (let i = list.length - 1; i >= Math.max(0, list.length - 12); i -= 1) {
    const token = list[i]!;
    if (token.kind === 'pipe') return undefined;
    if (token.kind === 'word' && !/^(in|has|contains|startswith|endswith|hasprefix|hassuffix|has_cs|contains_cs|has_any|has_all|matches|regex|and|or|not)$/.test(token.text)) return token;
  }
  return undefined;
}

/** A query with other names: tables and columns that it uses, but none that it makes itself. */
export function renamed(text: string, names: ReadonlyMap<string, string>): string {
  const list = tokens(text);
  const next = (i: number) => list.slice(i + 1).find((token) => token.kind !== 'comment');
  const made = new Set(
    list.flatMap((token, i) => {
      const sign = next(i);
      const after = sign ? list[list.indexOf(sign) + 1] : undefined;
      const isAssigned = sign?.text === '=' && !(after?.start === sign.start + 1 && /[=~]/.test(after.text));
      return token.kind === 'word' && isAssigned ? [token.text] : [];
    }),
  );
  let result = '';
  let end = 0;
  for (const [i, token] of list.entries()) {
    const other = token.kind === 'word' && !made.has(token.text) && list[i - 1]?.text !== '.' && next(i)?.text !== '(' ? names.get(token.text) : undefined;
    result += text.slice(end, token.start) + (other ?? token.text);
    end = token.start + token.text.length;
  }
  return result + text.slice(end);
}

/** An offset in bytes of UTF-8 as one in a string. */
export function atByte(text: string, bytes: number): number {
  let at = 0;
  for (let count = 0; at < text.length && count < bytes; ) {
    const code = text.codePointAt(at)!;
    count += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    at += code < 0x10000 ? 1 : 2;
  }
  return at;
}
