// Parameters that name a program. Whether it can be run is found out without running it.

import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { text, typed } from './parameters/kinds.ts';
import type { Options, Parameter } from './parameters/parameter.ts';

/** The name of a program, looked for along PATH, or its path. */
export const program = <const O extends Options>(options: O) =>
  typed<string, O>({ ...(text(options) as Parameter<string>), kind: 'program', probe: programProblem });

/** A program and its arguments, separated by spaces; what has spaces is quoted as for a shell, and there is no shell. */
export const command = <const O extends Options>(options: O) =>
  typed<readonly string[], O>({
    ...(text(options) as unknown as Parameter<readonly string[]>),
    kind: 'command',
    parse: parseCommand,
    probe: (value) => programProblem((value as readonly string[] | undefined)?.[0]),
  });

const piece = /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|[^\s'"\\]+/gs;
const word = new RegExp(`(?:${piece.source})+`, 'gs');

/** `tool -v "two words" it\'s` to its words. Throws an Error that says what is expected. */
export function parseCommand(written: string): readonly string[] {
  const unquote = (plain: string, single?: string, double?: string, escaped?: string) =>
    single ?? double?.replace(/\\(["\\])/g, '$1') ?? escaped ?? plain;
  const words = (written.match(word) ?? []).map((each) => each.replace(piece, unquote));
  // What is in no word is a quote that is not closed, or a backslash at the end.
  if (!words[0] || written.replace(word, '').trim() !== '')
    throw new Error('a program and its arguments are expected, with every quote closed');
  return words;
}

/** What keeps the program from being run, or undefined. A path that is not absolute depends on where it is run. */
export function programProblem(name: unknown, path = process.env.PATH ?? ''): string | undefined {
  if (typeof name !== 'string' || (name.includes('/') && !name.startsWith('/'))) return undefined;
  const places = name.startsWith('/') ? [name] : path.split(':').map((directory) => join(directory || '.', name));
  if (places.some(isProgram)) return undefined;
  return name.startsWith('/')
    ? 'no such program, or no permission to run it'
    : 'no such program; install it or name it';
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
