// A file of a downwardAPI volume: `key="value"` for each line, the value as Go quotes it.

import { constants, readFileSync, statSync } from 'node:fs';
import type { Fields } from '../records.ts';

/** Annotations may hold 256 KiB together. */
const largest = 1 << 20;

/** Throws when it cannot be read. A line that is none of its form is left out. */
export function readDownward(file: string): Fields {
  if (statSync(file).size > largest) throw new Error(`"${file}" is larger than what Kubernetes writes`);
  // Opening a pipe would wait for a writer.
  return parseDownward(readFileSync(file, { encoding: 'utf8', flag: constants.O_RDONLY | constants.O_NONBLOCK }));
}

export function parseDownward(text: string): Fields {
  const pairs = text.split('\n').flatMap((line): [string, string][] => {
    const found = /^([^=]+)="((?:[^"\\]|\\.)*)"$/.exec(line);
    return found ? [[found[1]!, unescaped(found[2]!)]] : [];
  });
  return Object.fromEntries(pairs);
}

const single: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Of strconv.Quote, fmt's %q: what is not printable is \x, \u or \U, all else one character. */
function unescaped(value: string): string {
  if (!value.includes('\\')) return value;
  const pattern = /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))/gs;
  // \x stands for a byte that is not UTF-8, or a control character.
  return value.replace(pattern, (whole, byte?: string, short?: string, long?: string, one = '') => {
    if (byte !== undefined)
      return Number.parseInt(byte, 16) < 0x80 ? String.fromCharCode(Number.parseInt(byte, 16)) : '\ufffd';
    const code = Number.parseInt(short ?? long ?? '', 16);
    if (!Number.isNaN(code)) return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    return single[one] ?? one;
  });
}
