// argv to flags and words, knowing only names.

import type { Entry } from './names.ts';
import { nearest } from './nearest.ts';
import type { Problem } from './problem.ts';
import { type Action, actions } from './standard.ts';

export type Arguments = {
  readonly flags: ReadonlyMap<Entry, WrittenFlag>;
  readonly actions: ReadonlySet<Action>;
  /** What is not a flag: `prestop`, `health ready`. */
  readonly words: readonly string[];
  readonly problems: readonly Problem[];
};

/** What was written for an entry, with the flag that was used first and all the names that were. */
export type WrittenFlag = {
  readonly flag: string;
  readonly written: readonly string[];
  readonly names: ReadonlySet<string>;
};

export function parseArguments(argv: readonly string[], entries: readonly Entry[]): Arguments {
  const current = new Map(entries.flatMap((entry) => entry.flags.map((flag) => [flag, entry] as const)));
  const former = entries.flatMap((entry) => entry.former.flags.map((flag) => [flag, entry] as const));
  const known = new Map([...former, ...current]);
  const flags = new Map<Entry, { flag: string; written: string[]; names: Set<string> }>();
  const found = { flags, actions: new Set<Action>(), words: [] as string[], problems: [] as Problem[] };

  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index]!;
    if (!argument.startsWith('-') || argument === '-') {
      found.words.push(argument);
      continue;
    }
    const equals = argument.indexOf('=');
    // kubernetes/git-sync and other programs written in Go accept one dash as well as two.
    const flag = (equals < 0 ? argument : argument.slice(0, equals)).replace(/^--?/, '--');
    const inline = equals < 0 ? undefined : argument.slice(equals + 1);
    const { entry, name, written: implied } = lookUp(flag, known);
    const action = flag.slice(2) as Action;
    if (!entry && (Object.hasOwn(actions, action) || flag === '--h')) {
      found.actions.add(flag === '--h' ? 'help' : action);
      continue;
    }
    if (!entry) {
      found.problems.push({ parameter: flag, message: unknown(flag, current.keys()) });
      // What follows an unknown flag is most likely its value, not a word of its own.
      if (inline === undefined && isValue(argv[index + 1])) index++;
      continue;
    }
    let written = inline ?? implied;
    if (written === undefined && entry.parameter.flagOnly) written = isTruth(argv[index + 1]) ? argv[++index] : 'true';
    if (written === undefined && isValue(argv[index + 1])) written = argv[++index];
    if (written === undefined) {
      found.problems.push({ parameter: flag, message: 'a value is expected' });
      continue;
    }
    const given = flags.get(entry);
    if (given && !entry.parameter.repeatable)
      found.problems.push({ parameter: flag, message: twice(flag, given.flag) });
    else if (given) given.written.push(written);
    else flags.set(entry, { flag, written: [written], names: new Set() });
    flags.get(entry)!.names.add(name);
  }
  return found;
}

type Found = { readonly entry?: Entry; readonly name: string; readonly written?: string };

function lookUp(flag: string, known: ReadonlyMap<string, Entry>): Found {
  const entry = known.get(flag);
  if (entry) return { entry, name: flag };
  const name = `--${flag.slice(5)}`;
  const negated = flag.startsWith('--no-') ? known.get(name) : undefined;
  return negated?.parameter.flagOnly ? { entry: negated, name, written: 'false' } : { name: flag };
}

const twice = (flag: string, before: string) => `is given twice${flag === before ? '' : `, also as ${before}`}`;

// A negative number is a value, a flag is not.
const isValue = (next: string | undefined) => next !== undefined && (!next.startsWith('-') || /^-(\d|$)/.test(next));
const isTruth = (next: string | undefined) => next === 'true' || next === 'false';

export function unknown(name: string, names: Iterable<string>): string {
  const known = new Set(names);
  // The secret itself was meant to be given, which only a file may.
  const guess = [`${name}-file`, `${name}File`].find((each) => known.has(each)) ?? nearest(name, known);
  return guess ? `unknown; did you mean ${guess}?` : 'unknown';
}
