// One key, four spellings: `listenAddress` in the file, `--listen-address`, OUTRIGGER_LISTEN_ADDRESS.

import type { Parameter, Parameters } from './parameter.ts';

export const kebab = (key: string) => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
export const snake = (key: string) => kebab(key).replaceAll('-', '_');
export const camel = (words: string) => words.replace(/[-_]+(.)/g, (_, letter: string) => letter.toUpperCase());
const capital = (key: string) => key.charAt(0).toUpperCase() + key.slice(1);

/** A declared parameter with all its names and, for a family member's, the choice it depends on. */
export type Entry = {
  readonly key: string;
  readonly parameter: Parameter<unknown>;
  /** With dashes; the first is the one that messages use. */
  readonly flags: readonly string[];
  readonly env: readonly string[];
  readonly owner?: { readonly entry: Entry; readonly member: string; readonly key: string } | undefined;
};

/** All parameters of a declaration, each family followed by its members' own. */
export function entriesOf(parameters: Parameters): Entry[] {
  return Object.entries(parameters).flatMap(([key, parameter]) => {
    const entry = entryOf(key, parameter);
    return [entry, ...membersOf(entry)];
  });
}

function membersOf(entry: Entry): Entry[] {
  return Object.entries(entry.parameter.members ?? {}).flatMap(([member, { parameters }]) =>
    Object.entries(parameters).map(([key, parameter]) =>
      entryOf(entry.key + capital(camel(member)) + capital(key), parameter, { entry, member, key }),
    ),
  );
}

function entryOf(key: string, parameter: Parameter<unknown>, owner?: Entry['owner']): Entry {
  const { flags = [], env = [] } = parameter.aliases;
  const flag = `--${kebab(key)}`;
  const variable = `OUTRIGGER_${snake(key).toUpperCase()}`;
  // A secret's flag names its file; the variable may hold the secret itself.
  return parameter.secret
    ? {
        key,
        parameter,
        owner,
        flags: [`${flag}-file`, ...flags.map((alias) => `--${alias}`)],
        env: [`${variable}_FILE`, variable, ...env],
      }
    : {
        key,
        parameter,
        owner,
        flags: [flag, ...flags.map((alias) => `--${alias}`)],
        env: [variable, ...env],
      };
}

/** The key in a config file: a secret's names its file. */
export const fileKey = (entry: Entry) => (entry.parameter.secret ? `${entry.key}File` : entry.key);
