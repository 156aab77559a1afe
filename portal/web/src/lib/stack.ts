// A stack with one's own code first; other frames are folded.

import type { Frame } from '../api/types';

export type StackPart = { own: true; frame: Frame } | { own: false; frames: Frame[]; packages: string[] };

/** The package of a method: the text before its type. */
export function packageOf(frame: Frame): string {
  const name = frame.assembly ?? frame.method;
  const parts = name.split(/::|\.|\//).filter((part) => part !== '');
  return parts[0] === 'org' || parts[0] === 'com' || parts[0] === 'io' || parts[0] === 'java' ? parts.slice(0, 2).join('.') : (parts[0] ?? '');
}

/** Whether a frame is another's: the portal knows its package, or its method or assembly begins as one of `foreign`. */
export function isForeign(frame: Frame, foreign: string): boolean {
  const prefixes = foreign.split(/[\s,]+/).filter((prefix) => prefix !== '');
  return !frame.isOwn || prefixes.some((prefix) => frame.method.startsWith(prefix) || frame.assembly?.startsWith(prefix) === true);
}

/** Frames in order, those of others in groups. Without own frames nothing folds. */
export function foldStack(frames: Frame[], known: (frame: Frame) => boolean = (frame) => !frame.isOwn): StackPart[] {
  const noneIsOwn = frames.every(known);
  const parts: StackPart[] = [];
  for (const frame of frames) {
    const last = parts[parts.length - 1];
    if (noneIsOwn || !known(frame)) parts.push({ own: true, frame });
    else if (last && !last.own) {
      last.frames.push(frame);
      const name = packageOf(frame);
      if (!last.packages.includes(name)) last.packages.push(name);
    } else parts.push({ own: false, frames: [frame], packages: [packageOf(frame)] });
  }
  return parts;
}

/** Where an editor opens a frame; undefined without a file, or where a path could be something else. */
export function editorLink(frame: Frame, scheme: string, root: string): string | undefined {
  if (frame.fileName === null || !/^[a-z][a-z0-9+.-]*$/.test(scheme) || scheme === 'javascript' || scheme === 'data') return undefined;
  const path = frame.fileName.replaceAll('\\', '/');
  const absolute = /^(\/|[A-Za-z]:\/)/.test(path) ? path : root === '' ? undefined : `${root.replace(/\/+$/, '')}/${path.replace(/^\.\//, '')}`;
  if (absolute === undefined) return undefined;
  const encoded = absolute.split('/').map((part) => encodeURIComponent(part).replace('%3A', ':')).join('/');
  return `${scheme}://file${encoded.startsWith('/') ? '' : '/'}${encoded}${frame.line === null ? '' : `:${frame.line}`}`;
}
