// From argv, environment and file to typed values with their sources, and every problem at once.

import { Secret } from '../secret.ts';
import { type Arguments, parseArguments, unknown } from './arguments.ts';
import { type ConfigFile, noConfigFile, readConfigFile } from './config-file.ts';
import { type Entry, entriesOf, fileKey } from './names.ts';
import { nearest } from './nearest.ts';
import type { Parameters, Values } from './parameter.ts';
import type { Problem } from './problem.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export type Inputs = {
  readonly argv: readonly string[];
  readonly env: Environment;
  /** Whether files and directories are looked at; a manifest is checked on a machine that has none of them. */
  readonly checkFiles?: boolean;
  /** What openConfigFile read. */
  readonly file?: ConfigFile | undefined;
};

/** An effective value, for people: redacted, as written, with where it came from. */
export type Effective = { readonly value: unknown; readonly source: string; readonly reloadable: boolean };

export type Resolved<P extends Parameters> = {
  readonly values: Values<P>;
  readonly effective: Readonly<Record<string, Effective>>;
  readonly actions: Arguments['actions'];
  readonly words: readonly string[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
};

type Given = {
  readonly written: readonly string[];
  readonly source: string;
  readonly inline?: boolean;
  readonly malformed?: boolean;
};

/** Reads the file that the parameter called `config` names, if it is given. */
export async function openConfigFile(parameters: Parameters, { argv, env }: Inputs): Promise<ConfigFile | undefined> {
  const entries = entriesOf(parameters);
  const config = entries.find(({ key }) => key === 'config');
  const given = config && (fromFlags(config, parseArguments(argv, entries)) ?? fromEnvironment(config, env));
  return given && readConfigFile(given.written[0]!);
}

/** Never throws: what is wrong comes back as problems. */
export function resolveParameters<P extends Parameters>(parameters: P, inputs: Inputs): Resolved<P> {
  const entries = entriesOf(parameters);
  const args = parseArguments(inputs.argv, entries);
  const problems: Problem[] = [...args.problems];
  const file = inputs.file ?? noConfigFile;
  problems.push(...file.problems, ...unknownKeys(file, entries));

  const resolution: Resolution = { entries, args, inputs, file, problems, effective: {}, chosen: new Map() };
  const values: Record<string, unknown> = {};
  for (const entry of entries) if (!entry.owner) values[entry.key] = resolveEntry(entry, resolution);
  for (const entry of entries) if (entry.owner) refuseUnused(entry, resolution);
  return {
    values: values as Values<P>,
    effective: resolution.effective,
    actions: args.actions,
    words: args.words,
    problems,
    warnings: misspeltVariables(inputs.env, entries),
  };
}

type Resolution = {
  readonly entries: readonly Entry[];
  readonly args: Arguments;
  readonly inputs: Inputs;
  readonly file: ConfigFile;
  readonly problems: Problem[];
  readonly effective: Record<string, Effective>;
  /** Which members each family chose. */
  readonly chosen: Map<Entry, ReadonlySet<string>>;
};

function unknownKeys(file: ConfigFile, entries: readonly Entry[]): Problem[] {
  const known = new Set(entries.filter(({ key }) => key !== 'config').map(fileKey));
  return [...file.values]
    .filter(([key]) => !known.has(key))
    .map(([key, { source }]) => ({ parameter: key, source, message: unknown(key, known) }));
}

function resolveEntry(entry: Entry, resolution: Resolution): unknown {
  const { parameter } = entry;
  const { problems, effective, inputs } = resolution;
  const given = give(entry, resolution);
  if (given === undefined) {
    if (!parameter.optional) problems.push({ parameter: entry.flags[0]!, message: missing(entry) });
    return undefined;
  }
  effective[entry.key] = {
    value: shown(entry, given),
    source: given.source,
    reloadable: parameter.reloadable,
  };
  const before = problems.length;
  if (given.malformed || (!parameter.repeatable && given.written.length !== 1))
    problems.push({
      ...origin(entry, given),
      message: parameter.repeatable ? 'a list is expected' : 'one value is expected',
    });
  const parsed = given.written.map((written) => parseOne(entry, given, written, resolution));
  if (problems.length > before) return undefined;
  const value = parameter.combine(parameter.members ? chooseMembers(entry, parsed as string[], resolution) : parsed);
  const wrong = inputs.checkFiles !== false ? parameter.probe?.(value) : undefined;
  if (wrong) problems.push({ ...origin(entry, given), message: wrong });
  return value;
}

const missing = ({ parameter }: Entry) =>
  `is required: ${parameter.help.charAt(0).toLowerCase()}${parameter.help.slice(1)}${parameter.example ? `, such as ${parameter.example}` : ''}`;

const shown = ({ parameter }: Entry, given: Given) => {
  if (parameter.secret) return given.inline ? '[redacted]' : `[file ${given.written[0]}]`;
  return parameter.repeatable ? given.written.map(withoutPassword) : withoutPassword(given.written[0]);
};

/** A URL may carry credentials: they are shown nowhere. */
const withoutPassword = (written: string | undefined) => written?.replace(/(:\/\/)[^/?#]*@/, '$1[redacted]@');

const origin = (entry: Entry, given: Given) => ({
  parameter: entry.flags[0]!,
  value: entry.parameter.secret && given.inline ? undefined : given.written.map(withoutPassword).join(', '),
  source: given.source,
});

function parseOne(entry: Entry, given: Given, written: string, { problems }: Resolution): unknown {
  try {
    return entry.parameter.secret && !given.inline ? Secret.fromFile(written) : entry.parameter.parse(written);
  } catch (error) {
    problems.push({ ...origin(entry, { ...given, written: [written] }), message: (error as Error).message });
    return undefined;
  }
}

/** Flag, then env, then file, then default. */
function give(entry: Entry, { args, inputs, file }: Resolution): Given | undefined {
  return fromFlags(entry, args) ?? fromEnvironment(entry, inputs.env) ?? fromFile(entry, file) ?? fromDefault(entry);
}

function fromFlags(entry: Entry, { flags }: Arguments): Given | undefined {
  const given = flags.get(entry);
  return given && { written: given.written, source: given.flag };
}

function fromEnvironment({ env: names, parameter }: Entry, env: Environment): Given | undefined {
  for (const name of names) {
    const written = env[name];
    // An empty variable is an unset one: manifests and shells write both the same way.
    if (written === undefined || written === '') continue;
    return {
      written: parameter.repeatable ? splitList(written) : [written],
      source: name,
      inline: !name.endsWith('_FILE'),
    };
  }
  return undefined;
}

const splitList = (written: string) =>
  written
    .split(written.includes('\n') ? '\n' : ',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

function fromFile(entry: Entry, { values }: ConfigFile): Given | undefined {
  const found = values.get(fileKey(entry));
  return found && { written: found.written ?? [], source: found.source, malformed: found.written === undefined };
}

function fromDefault({ parameter }: Entry): Given | undefined {
  if (parameter.default === undefined) return undefined;
  return { written: [parameter.default].flat(), source: 'default' };
}

function chooseMembers(entry: Entry, names: readonly string[], resolution: Resolution): unknown[] {
  const { members = {} } = entry.parameter;
  resolution.chosen.set(entry, new Set(names));
  return [...new Set(names)].map((name) => {
    const own = resolution.entries.filter(({ owner }) => owner?.entry === entry && owner.member === name);
    const parameters = Object.fromEntries(own.map((each) => [each.owner!.key, resolveEntry(each, resolution)]));
    return { name, member: members[name], parameters };
  });
}

/** A member's parameter without the member would be silently without effect. */
function refuseUnused(entry: Entry, resolution: Resolution): void {
  const { entry: family, member } = entry.owner!;
  const chosen = resolution.chosen.get(family);
  if (!chosen || chosen.has(member)) return;
  const { args, inputs, file } = resolution;
  const given = fromFlags(entry, args) ?? fromEnvironment(entry, inputs.env) ?? fromFile(entry, file);
  if (given)
    resolution.problems.push({
      ...origin(entry, given),
      message: `has no effect without ${family.flags[0]} ${member}`,
    });
}

/** Variables may belong to somebody else, so one that is nearly a parameter's is only pointed out. */
function misspeltVariables(env: Environment, entries: readonly Entry[]): string[] {
  const known = new Set(entries.flatMap((entry) => entry.env));
  return Object.keys(env)
    .filter((name) => name.startsWith('OUTRIGGER_') && !known.has(name))
    .flatMap((name) => {
      const guess = nearest(
        name.slice(10),
        [...known].filter((each) => each.startsWith('OUTRIGGER_')).map((each) => each.slice(10)),
      );
      return guess ? [`${name} is unknown; did you mean OUTRIGGER_${guess}?`] : [];
    });
}
