// Finding by a few letters, for the palette.

/** How well a text fits, higher is better, with the places of the letters; undefined if it does not. */
export function fuzzy(text: string, wanted: string): { score: number; places: number[] } | undefined {
  const [low, want] = [text.toLowerCase(), wanted.toLowerCase().replace(/\s+/g, '')];
  if (want === '') return { score: 0, places: [] };
  const whole = low.indexOf(want);
  if (whole >= 0) {
    const start = whole === 0 || /[^a-z0-9]/.test(low[whole - 1]!);
    return { score: 100 + (start ? 50 : 0) - whole * 0.1 - text.length * 0.01, places: Array.from({ length: want.length }, (_, i) => whole + i) };
  }
  const places: number[] = [];
  let score = 0;
  let from = 0;
  for (const letter of want) {
    const at = low.indexOf(letter, from);
    if (at < 0) return undefined;
    score += at === from && places.length > 0 ? 5 : at === 0 || /[^a-z0-9]/.test(low[at - 1]!) ? 3 : -0.2 * (at - from);
    places.push(at);
    from = at + 1;
  }
  return { score: score - text.length * 0.01, places };
}

/** A text in pieces, those that were found marked. */
export function pieces(text: string, places: number[]): { text: string; hit: boolean }[] {
  const hits = new Set(places);
  const result: { text: string; hit: boolean }[] = [];
  for (let i = 0; i < text.length; i += 1) {
    const hit = hits.has(i);
    const last = result[result.length - 1];
    if (last?.hit === hit) last.text += text[i];
    else result.push({ text: text[i]!, hit });
  }
  return result;
}

/** A text in pieces, every occurrence of the words marked. */
export function highlight(text: string, words: string[]): { text: string; hit: boolean }[] {
  const escaped = words.filter((word) => word.length > 1).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  if (escaped.length === 0) return [{ text, hit: false }];
  return text
    .split(new RegExp(`(${escaped.join('|')})`, 'gi'))
    .map((piece, i) => ({ text: piece, hit: i % 2 === 1 }))
    .filter((piece) => piece.text !== '');
}

/** The words of a search that stand in texts: without operators, fields and signs. */
export function searchedWords(query: string): string[] {
  const words: string[] = [];
  for (const match of query.matchAll(/(?:([\w.]+)(?::|[<>]=?))?(?:"([^"]*)"|([^\s()"]+))/g)) {
    const word = match[2] ?? match[3] ?? '';
    if (match[1] === undefined && !/^(AND|OR|NOT)$/.test(word)) words.push(word.replace(/\*$/, ''));
  }
  return words.filter((word) => word !== '');
}
