// Private keys in PEM: whole blocks, what is left of one that was cut, single lines of one, and blocks in base64 once more.

import { anchor } from './prefilter.ts';
import type { Rule } from './rule.ts';

const begin = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const end = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
/** What lies between the two, line breaks escaped or not, with the headers of encrypted ones. */
const body = /^[A-Za-z0-9+/=\s\\'",:.()|>_-]*$/;
/** `-----BEGIN` in base64. */
const wrapped = /LS0tLS1CRUdJTi[A-Za-z0-9+/=\r\n]{20,}/g;

export const privateKey: Rule = {
  name: 'private-key',
  looks: { anchors: [anchor([], 'private'), anchor([], 'ls0tls1')] },
  find(text, report, budget) {
    if (isLineOfKey(text)) return report(0, text.length);
    let behind = 0;
    begin.lastIndex = 0;
    for (let found = begin.exec(text); found; found = begin.exec(text)) {
      budget.spend();
      end.lastIndex = begin.lastIndex;
      const closed = end.exec(text);
      // Without its end it may go on to wherever the text was cut, or the string it is in.
      const quote = text.indexOf('"', begin.lastIndex);
      behind = closed ? end.lastIndex : quote === -1 ? text.length : quote;
      report(found.index, behind);
      begin.lastIndex = behind;
    }
    end.lastIndex = behind;
    const closed = end.exec(text);
    if (closed && body.test(text.slice(behind, closed.index))) report(behind, end.lastIndex);
    for (const { 0: run, index } of text.matchAll(wrapped)) {
      budget.spend();
      if (Buffer.from(run, 'base64').includes('PRIVATE KEY')) report(index, index + run.length);
    }
  },
};

/** How long the lines of a block are, in characters: OpenSSL's and RFC 7468's, OpenSSH's, MIME's. */
const lineLengths: ReadonlySet<number> = new Set([64, 70, 76]);

/** Whether a line may be one of a block by its length alone. */
export const mayBeLineOfKey = (length: number): boolean => lineLengths.has(length) || lineLengths.has(length - 1);

/** A whole line of a block on its own: base64 of just that length, and no hexadecimal hash. */
function isLineOfKey(text: string): boolean {
  const line = text.endsWith('\r') ? text.slice(0, -1) : text;
  return (
    lineLengths.has(line.length) &&
    /^[A-Za-z0-9+/]+={0,2}$/.test(line) &&
    /[a-z]/.test(line) &&
    /[A-Z]/.test(line) &&
    /[0-9]/.test(line)
  );
}

/** Follows blocks whose lines are records of their own: what lies between begin and end is only seen one by one. */
export class KeyBlocks {
  /** How many more records may belong to the block that is open; 0 when none is. */
  #open = 0;

  get open(): boolean {
    return this.#open > 0;
  }

  /** Whether a record is part of an open block, and whether it opens one. */
  takes(text: string): boolean {
    const inside = this.#open > 0;
    if (inside) this.#open--;
    const begun = lastIndexOf(begin, text);
    const ended = lastIndexOf(end, text);
    if (ended >= 0 && ended > begun) this.#open = 0;
    else if (begun >= 0) this.#open = mostLines;
    // What others log in between is no key, and what is longer than its lines neither.
    return inside && begun < 0 && ended < 0 && text.length <= 80 && /^\s*[A-Za-z0-9+/]+={0,2}\s*$/.test(text);
  }
}

/** A key of 16,384 bits has some 200 lines. */
const mostLines = 256;

function lastIndexOf(pattern: RegExp, text: string): number {
  let last = -1;
  for (const { index } of text.matchAll(pattern)) last = index;
  return last;
}
