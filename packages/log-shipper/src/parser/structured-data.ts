// The structured data of RFC 5424: [id name="value"...]... or a dash.

import type { Fields } from './parser.ts';
import { set } from './set.ts';

const element = /\[([^\s=\]"]{1,255})/y;
const parameter = / +([^\s=\]"]{1,255})="((?:[^"\\\]]|\\.)*)"/sy;

/** A name that comes several times in an element has a list of values. */
export function readStructured(text: string, from: number): { structured: Fields | undefined; end: number } {
  if (text[from] === '-') return { structured: undefined, end: from + 1 };
  const structured: Record<string, unknown> = {};
  let at = from;
  while (text[at] === '[') {
    const opened = sticky(element, text, at);
    if (!opened) throw new Error('Structured data without an id');
    at += opened[0].length;
    const values: Record<string, unknown> = {};
    for (let found = sticky(parameter, text, at); found; found = sticky(parameter, text, at)) {
      add(values, found[1]!, found[2]!.replace(/\\(["\\\]])/g, '$1'));
      at += found[0].length;
    }
    if (text[at] !== ']') throw new Error('No end of the structured data');
    at++;
    set(structured, opened[1]!, values);
  }
  return { structured, end: at };
}

function sticky(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function add(values: Record<string, unknown>, name: string, value: string): void {
  const before = Object.hasOwn(values, name) ? values[name] : undefined;
  set(values, name, before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value]);
}
