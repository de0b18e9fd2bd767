// Lines as they are: what the other joins begin with.

import { Found } from './found.ts';
import type { Stage } from './join.ts';

const newline = 0x0a;

/** Lines and their pieces, as frame.ts makes them. */
export const lines: Stage = ({ bytes, unfinished }, { record }) => {
  const found = new Found(bytes, { enveloped: false });
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(newline, start);
    const stop = end === -1 ? bytes.length : end;
    while (stop - start > record) {
      const cut = characterStart(bytes, start, start + record);
      found.partial.add(found.count);
      found.put(start, cut, start, cut);
      start = cut;
    }
    if (end === -1) break;
    found.put(start, end, start, end + 1);
    start = end + 1;
  }
  found.held = start;
  if (start < bytes.length && unfinished !== 'held') {
    if (unfinished === 'part') found.partial.add(found.count);
    found.put(start, bytes.length, start, bytes.length);
    found.held = bytes.length;
  }
  return found;
};

/** Where to cut so that no UTF-8 sequence is torn: at most three bytes earlier. */
function characterStart(bytes: Buffer, start: number, cut: number): number {
  for (let at = cut; at > cut - 4 && at > start; at--) if ((bytes[at]! & 0xc0) !== 0x80) return at;
  return cut;
}

/** Whether a line begins with a word. */
export function beginsWith(bytes: Buffer, start: number, end: number, word: Uint8Array): boolean {
  if (end - start < word.length) return false;
  for (let at = 0; at < word.length; at++) if (bytes[start + at] !== word[at]) return false;
  return true;
}
