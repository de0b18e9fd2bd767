// Patterns that users write. One line must never hold up the process, whatever the pattern: V8 has an engine that takes
// time linear in the line, and what it cannot run (look-ahead, back-references, `i`) is refused when parameters are read.
//
// Measured: for a pattern of eight groups on a line of 150 bytes 1.6 us by the usual engine and 18 us by the linear one.
// So short lines go to the usual one, which hands over to the linear one after many steps back: at most 7 ms for 1,024
// characters. But it does not count all of its steps, and takes 0.4 s for `a.*b.*c.*d` on 16 KiB, where the linear one
// takes 3 ms: longer lines go there directly.

import { setFlagsFromString } from 'node:v8';

const short = 1024;
const longest = 64 << 10;

/** How a text matches, or null. Throws for a text that is too long to be looked at. */
export type Pattern = (text: string) => RegExpExecArray | null;

/** Throws an Error that says what is expected when the pattern is none, or cannot be run in linear time. */
export function linearPattern(source: string): Pattern {
  const linear = compile(source);
  const usual = new RegExp(source, 's');
  return (text) => {
    if (text.length <= short) return usual.exec(text);
    if (text.length <= longest) return linear.exec(text);
    throw new Error(`Longer than ${longest >> 10} KiB, too long for a pattern`);
  };
}

/** The names of the groups of a pattern, in their order. */
export function groupsOf(source: string): readonly string[] {
  return Object.keys(new RegExp(`${source}|`, 's').exec('')?.groups ?? {});
}

let prepared = false;

function compile(source: string): RegExp {
  if (!prepared) {
    setFlagsFromString('--enable-experimental-regexp-engine');
    setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
    setFlagsFromString('--regexp-backtracks-before-fallback=10000');
    prepared = true;
  }
  try {
    new RegExp(source, 's');
  } catch (error) {
    throw new Error(`a regular expression is expected (${(error as Error).message})`, { cause: error });
  }
  try {
    return new RegExp(source, 'ls');
  } catch (error) {
    throw new Error(
      'a regular expression that takes linear time is expected: without look-ahead, back-references and large counts such as {100}',
      { cause: error },
    );
  }
}
