// key=value pairs, values in quotes where they need it. Values stay text: nothing says which of them are numbers.

import { defineParser, type Fields } from './parser.ts';
import { set } from './set.ts';

export const logfmt = defineParser({
  summary: 'key=value pairs',
  parameters: {},
  open: () => ({
    parse: (bytes, start, end) => readPairs(bytes.toString('utf8', start, end)),
    timeField: 'time',
    levelField: 'level',
  }),
});

const quote = 0x22;
const equals = 0x3d;
const backslash = 0x5c;

/** Throws unless there is at least one pair: a sentence has words only. */
export function readPairs(text: string): Fields {
  const fields: Record<string, unknown> = {};
  let pairs = 0;
  for (let at = skip(text, 0); at < text.length; at = skip(text, at)) {
    const keyEnd = wordEnd(text, at);
    const key = text.slice(at, keyEnd);
    if (key === '') throw new Error(`A key is expected at character ${at + 1}`);
    if (text.charCodeAt(keyEnd) !== equals) {
      set(fields, key, true);
      at = keyEnd;
      continue;
    }
    pairs++;
    const from = keyEnd + 1;
    const end = text.charCodeAt(from) === quote ? quotedEnd(text, from) : valueEnd(text, from);
    set(fields, key, text.charCodeAt(from) === quote ? unquoted(text.slice(from + 1, end - 1)) : text.slice(from, end));
    at = end;
  }
  if (pairs === 0) throw new Error('No key=value in it');
  return fields;
}

/** Spaces, tabs and line ends; a NUL is content. */
const separates = (code: number) => code === 0x20 || (code >= 0x09 && code <= 0x0d);

function skip(text: string, at: number): number {
  while (at < text.length && separates(text.charCodeAt(at))) at++;
  return at;
}

function wordEnd(text: string, at: number): number {
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (separates(code) || code === equals) return at;
    if (code === quote) throw new Error(`A quote within a key at character ${at + 1}`);
  }
  return at;
}

function valueEnd(text: string, at: number): number {
  while (at < text.length && !separates(text.charCodeAt(at))) at++;
  return at;
}

function quotedEnd(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === backslash) at++;
    else if (code === quote) return at + 1;
  }
  throw new Error(`No end of the quotes that begin at character ${from + 1}`);
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
  '"': '"',
  '\\': '\\',
  '/': '/',
};

/** As Go and JSON quote. What is no escape of theirs stays as it is. */
export function unquoted(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(?:u([\da-fA-F]{4})|(.))/gs, (whole, hex: string | undefined, letter: string) =>
    hex === undefined ? (escapes[letter] ?? whole) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
