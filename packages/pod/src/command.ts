// What a command is: data from which parsing, help and messages follow.

import { nearest } from '@outrigger/core';

export type Flag = {
  readonly help: string;
  /** Named in the help; without it the flag stands alone. */
  readonly value?: string;
  readonly choices?: readonly string[];
  readonly repeatable?: boolean;
  /** Its value may be left out, and is '' then: the next word is the value only if it looks like one. */
  readonly optional?: RegExp;
};

/** What stands on the command line beside flags. */
export type Words = {
  /** In the help: `<pod.yaml>`. */
  readonly shown: string;
  /** `a manifest, such as pod.yaml` */
  readonly expected: string;
  /** The first word and all that follows it, flags too, is a command line of its own. Where it is missing is up to `run`. */
  readonly rest?: boolean;
};

export const oneManifest: Words = { shown: '<pod.yaml>', expected: 'a manifest, such as pod.yaml' };

export type Given = {
  /** One, except where `words.rest` is set. */
  readonly words: readonly string[];
  /** What was written for each flag; `['true']` for one that stands alone. */
  readonly flags: Readonly<Record<string, readonly string[]>>;
};

export type Command = {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly words: Words;
  readonly flags: Readonly<Record<string, Flag>>;
  /** Returns the exit code. */
  run(given: Given): Promise<number>;
};

export const defineCommand = (command: Command): Command => command;

/** @param argv what follows the command's name. Returns the problems when there are any. */
export function parseCommand(
  { name, flags, words: expected }: Command,
  argv: readonly string[],
): Given | readonly string[] {
  const given: Record<string, string[]> = {};
  const words: string[] = [];
  const problems: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index]!;
    if (expected.rest && (argument === '--' || !argument.startsWith('-'))) {
      words.push(...argv.slice(argument === '--' ? index + 1 : index));
      break;
    }
    if (!argument.startsWith('-') || argument === '-') {
      words.push(argument);
      continue;
    }
    const [written = '', inline] = splitOnce(argument);
    const flag = flags[written.slice(2)];
    if (!written.startsWith('--') || !flag) {
      problems.push(unknown(written, Object.keys(flags)));
      continue;
    }
    const value = inline ?? (takesNext(flag, argv[index + 1]) ? argv[++index] : flag.optional ? '' : 'true');
    const problem = wrong(flag, { value, inline, before: given[written.slice(2)] });
    if (problem) problems.push(`${written}: ${problem}`);
    else given[written.slice(2)] = [...(given[written.slice(2)] ?? []), value!];
  }
  if (!expected.rest && words.length === 0) problems.push(`outrigger ${name} expects ${expected.expected}`);
  if (!expected.rest && words.length > 1)
    problems.push(`outrigger ${name} expects ${expected.expected}, and nothing else; what is "${words[1]}"?`);
  return problems.length > 0 ? problems : { words, flags: given };
}

const takesNext = ({ value, optional }: Flag, next = '') => (optional ? optional.test(next) : value !== undefined);

function splitOnce(argument: string): [string, string | undefined] {
  const equals = argument.indexOf('=');
  return equals < 0 ? [argument, undefined] : [argument.slice(0, equals), argument.slice(equals + 1)];
}

type Value = { readonly value: string | undefined; readonly inline: string | undefined; readonly before: unknown };

function wrong(flag: Flag, { value, inline, before }: Value): string | undefined {
  if (!flag.value && inline !== undefined) return 'takes no value';
  if (value === undefined) return `${flag.value} is expected`;
  if (before && !flag.repeatable) return 'is given twice';
  if (flag.choices && !flag.choices.includes(value)) return `${flag.choices.join(' or ')} is expected, not "${value}"`;
  return undefined;
}

export function unknown(flag: string, known: readonly string[]): string {
  const guess = nearest(
    flag,
    [...known, 'help', 'version'].map((name) => `--${name}`),
  );
  return `${flag} is unknown${guess ? `; did you mean ${guess}?` : ''}`;
}

/** Returns the exit code, as `refuse` does. */
export function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

export function refuse(problems: readonly string[], more: string): number {
  process.stderr.write(`${problems.map((problem) => `outrigger: ${problem}`).join('\n')}\nSee ${more}\n`);
  return 64;
}

/** The text of `outrigger <command> --help`. */
export function commandHelp({ name, description, words, flags }: Command): string {
  const rows = [...Object.entries(flags), ['help', { help: 'Print this' }] as const].map(
    ([flag, { value, help, repeatable, optional }]: readonly [string, Flag]) =>
      [
        `--${flag}${value ? (optional ? ` [${value}]` : ` <${value}>`) : ''}`,
        `${help}${repeatable ? ' (repeatable)' : ''}`,
      ] as const,
  );
  const width = Math.max(...rows.map(([flag]) => flag.length));
  const options = rows.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`);
  return `Usage: outrigger ${name} [flags] ${words.shown}\n\n${description}\n\nFlags:\n${options.join('\n')}\n`;
}
