import { describe, expect, it } from 'vitest';
import type { Difference, Frame } from '../api/types';
import { rank } from './difference';
import { fuzzy, highlight, pieces, searchedWords } from './fuzzy';
import { editorLink, foldStack, isForeign } from './stack';

function difference(field: string, value: string, selected: number, rest: number, selectedCount = 10): Difference {
  return { field, value, op: 'is', selected, rest, selectedCount, restCount: 0 };
}

describe('ranking differences', () => {
  it('orders by difference in share, one value of each field', () => {
    const ranked = rank([difference('a', '1', 0.5, 0.4), difference('b', '1', 0.9, 0.1), difference('b', '2', 0.8, 0.1), difference('c', '1', 1, 0.64)]);
    expect(ranked.map(({ field, value }) => field + value)).toEqual(['b1', 'c1', 'a1']);
  });
  it('leaves out what is as frequent elsewhere, or rarer', () => {
    expect(rank([difference('a', '1', 0.5, 0.48), difference('b', '1', 0.1, 0.9), difference('c', '1', 1, 0, 0)])).toEqual([]);
  });
  it('says at most five', () => {
    expect(rank(Array.from({ length: 9 }, (_, i) => difference(`f${i}`, 'x', 0.9, 0.1)))).toHaveLength(5);
  });
});

describe('finding', () => {
  it('a whole word goes before scattered letters', () => {
    const [whole, scattered] = [fuzzy('POST /orders', 'ord'), fuzzy('cold reloads', 'ord')];
    expect(whole!.score).toBeGreaterThan(scattered!.score);
    expect(fuzzy('POST /orders', 'xyz')).toBeUndefined();
  });
  it('what was found is marked, the text stays whole', () => {
    const text = 'POST /orders';
    const marked = pieces(text, fuzzy(text, 'ord')!.places);
    expect(marked).toEqual([{ text: 'POST /', hit: false }, { text: 'ord', hit: true }, { text: 'ers', hit: false }]);
    expect(highlight('a (b) A', ['(b)', 'xx']).map((piece) => piece.text)).toEqual(['a ', '(b)', ' A']);
  });
  it('only words of a search are marked, not its operators and fields', () => {
    expect(searchedWords('charge OR "two words" name:x duration>1s reserv* NOT (a)')).toEqual(['charge', 'two words', 'reserv', 'a']);
  });
});

function frame(method: string, isOwn: boolean, fileName: string | null = null, line: number | null = null): Frame {
  return { level: 0, method, assembly: null, fileName, line, isOwn };
}

describe('stacks', () => {
  it('frames of others fold, with their packages', () => {
    const parts = foldStack([frame('java.net.Socket.read', false), frame('okhttp3.Call.execute', false), frame('pay.Gateway.charge', true), frame('org.spring.Web.run', false)]);
    expect(parts.map((part) => (part.own ? part.frame.method : part.packages.join('+')))).toEqual(['java.net+okhttp3', 'pay.Gateway.charge', 'org.spring']);
  });
  it('a reader says what else is not his own, by beginnings', () => {
    const own = frame('acme_common::retry::run', true);
    expect([isForeign(own, ''), isForeign(own, ' , '), isForeign(own, 'shop:: acme_common::'), isForeign(own, 'common')]).toEqual([false, false, true, false]);
    expect(isForeign({ ...own, assembly: 'acme.common' }, 'acme.')).toBe(true);
    expect(isForeign(frame('tokio::run', false), '')).toBe(true);
  });
  it('nothing folds when no frame is own', () => {
    expect(foldStack([frame('a.b', false), frame('c.d', false)]).every((part) => part.own)).toBe(true);
  });
  it.each([
    [frame('m', true, '/src/a b.rs', 88), 'vscode', '', 'vscode://file/src/a%20b.rs:88'],
    [frame('m', true, 'src/a.rs', 8), 'vscode', '/home/me/shop/', 'vscode://file/home/me/shop/src/a.rs:8'],
    [frame('m', true, 'C:\\a\\b.cs', null), 'vscode', '', 'vscode://file/C:/a/b.cs'],
    [frame('m', true, 'src/a.rs', 8), 'vscode', '', undefined],
    [frame('m', true, '/a.rs', 8), 'javascript', '', undefined],
    [frame('m', true, null), 'vscode', '', undefined],
  ])('an editor is linked to only where the file is known', (where, scheme, root, link) => {
    expect(editorLink(where, scheme, root)).toBe(link);
  });
});
