// One key, four spellings: `listenAddress` in the file, `--listen-address`, OUTRIGGER_LISTEN_ADDRESS and, among a Pod's
// annotations, `outrigger.dev/<role>.listen-address`.

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
  /** In the config file. A secret's and a structure's name its file. */
  readonly fileKey: string;
  /** Names that still work and are warned of. */
  readonly former: {
    readonly flags: readonly string[];
    readonly env: readonly string[];
    readonly keys: readonly string[];
  };
  readonly owner?: { readonly entry: Entry; readonly member: string; readonly key: string } | undefined;
};

/** What says where parameters are read from: neither stands in what it names. */
export const bootstrap: ReadonlySet<string> = new Set(['config', 'podInfoDirectory']);

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
  const former = typeof parameter.deprecated === 'object' ? parameter.deprecated : {};
  const file = parameter.secret || parameter.nested !== undefined;
  const variable = `OUTRIGGER_${snake(key).toUpperCase()}`;
  return {
    key,
    parameter,
    owner,
    flags: [`--${kebab(key)}${file ? '-file' : ''}`, ...flags.map(dashed)],
    // A secret's flag names its file; the variable may hold the secret itself.
    env: [...(file ? [`${variable}_FILE`] : []), ...(parameter.nested ? [] : [variable]), ...env],
    fileKey: file ? `${key}File` : key,
    former: { flags: (former.flags ?? []).map(dashed), env: former.env ?? [], keys: former.keys ?? [] },
  };
}

const dashed = (flag: string) => `--${flag}`;
