// From argv, environment and files to typed values with their sources, and every problem at once.

import { Secret } from '../secret.ts';
import { type Arguments, parseArguments, unknown } from './arguments.ts';
import { deprecatedUse } from './deprecated.ts';
import { type Environment, type Given, give, giveStarting, giveWritten, noSources, type Sources } from './given.ts';
import { bootstrap, type Entry, entriesOf } from './names.ts';
import { nearest } from './nearest.ts';
import { readNested } from './nested.ts';
import type { Parameters, Values } from './parameter.ts';
import type { Problem } from './problem.ts';
import { redacted, redactedDeep } from './redact.ts';
import { nodeAt, type Structure } from './structure.ts';

export type Inputs = {
  readonly argv: readonly string[];
  readonly env: Environment;
  /** Whether files and directories are looked at; a manifest is checked on a machine that has none of them. */
  readonly checkFiles?: boolean;
  /** What openSources read. */
  readonly sources?: Sources | undefined;
  /** All that sources may speak to, where that is more than what is resolved. */
  readonly known?: readonly Entry[];
  /** Where secrets in files come from: the same ones again when parameters are read again. */
  readonly secretFrom?: (file: string) => Secret;
};

/** An effective value, for people: redacted, as written, with where it came from. */
export type Effective = {
  readonly value: unknown;
  readonly source: string;
  readonly reloadable: boolean;
};

export type Resolved<P extends Parameters> = {
  readonly values: Values<P>;
  readonly effective: Readonly<Record<string, Effective>>;
  /** By key, a text that differs whenever the value does. Holds secrets: it is compared and never shown. */
  readonly identities: ReadonlyMap<string, string>;
  readonly actions: Arguments['actions'];
  readonly words: readonly string[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
};

/** Never throws: what is wrong comes back as problems. */
export function resolveParameters<P extends Parameters>(parameters: P, inputs: Inputs): Resolved<P> {
  const { argv, env, sources = noSources } = inputs;
  const entries = entriesOf(parameters);
  const args = parseArguments(argv, entries);
  const deprecated = entries.map((entry) => deprecatedUse(entry, args, env, sources));
  const problems = [...args.problems, ...sources.problems, ...unknownKeys(sources, inputs.known ?? entries)];
  problems.push(...deprecated.flatMap((used) => used.problems));
  const resolution: Resolution = {
    entries,
    args,
    env,
    sources,
    checkFiles: inputs.checkFiles ?? true,
    secretFrom: inputs.secretFrom ?? Secret.fromFile,
    incomplete: inputs.sources ? sources.incomplete : namesSources(entries, args, env),
    problems,
    warnings: [],
    effective: {},
    identities: new Map(),
    chosen: new Map(),
  };
  const values: Record<string, unknown> = {};
  for (const entry of entries) if (!entry.owner) values[entry.key] = resolveEntry(entry, resolution);
  for (const entry of entries) if (entry.owner) sayUnused(entry, resolution);
  return {
    values: values as Values<P>,
    effective: resolution.effective,
    identities: resolution.identities,
    actions: args.actions,
    words: args.words,
    problems,
    warnings: [
      ...resolution.warnings,
      ...deprecated.flatMap((used) => used.warnings),
      ...misspeltVariables(env, entries),
    ],
  };
}

type Resolution = {
  readonly entries: readonly Entry[];
  readonly args: Arguments;
  readonly env: Environment;
  readonly sources: Sources;
  readonly checkFiles: boolean;
  readonly secretFrom: (file: string) => Secret;
  /** What seems to be missing may stand in a file that was not read. */
  readonly incomplete: boolean;
  readonly problems: Problem[];
  readonly warnings: string[];
  readonly effective: Record<string, Effective>;
  readonly identities: Map<string, string>;
  /** Which members each family chose. */
  readonly chosen: Map<Entry, ReadonlySet<string>>;
};

const namesSources = (entries: readonly Entry[], args: Arguments, env: Environment) =>
  entries.some((entry) => bootstrap.has(entry.key) && giveStarting(entry, args, env));

function unknownKeys({ config }: Sources, entries: readonly Entry[]): Problem[] {
  if (!config) return [];
  const taken = entries.filter(({ key }) => !bootstrap.has(key));
  const current = new Set(
    taken.flatMap(({ fileKey, key, parameter }) => (parameter.nested ? [fileKey, key] : [fileKey])),
  );
  const former = new Set(taken.flatMap((entry) => entry.former.keys));
  return [...(config.root.entries?.keys() ?? [])]
    .map(String)
    .filter((key) => !current.has(key) && !former.has(key))
    .map((key) => ({ parameter: key || '""', source: config.place([key], 'key'), message: unknown(key, current) }));
}

function resolveEntry(entry: Entry, resolution: Resolution): unknown {
  const { parameter } = entry;
  const { problems, effective, identities } = resolution;
  if (parameter.nested && inConfig(entry, resolution)) return resolveInline(entry, resolution);
  const given = give(entry, resolution);
  if (given === undefined) {
    if (!parameter.optional && !resolution.incomplete)
      problems.push({ parameter: entry.flags[0]!, message: missing(entry) });
    return undefined;
  }
  const { reloadable } = parameter;
  effective[entry.key] = { value: shown(entry, given), source: given.source, reloadable };
  const before = problems.length;
  if (given.malformed || (!parameter.repeatable && given.written.length !== 1))
    problems.push({
      ...origin(entry, given),
      message: parameter.repeatable ? 'a list is expected' : 'one value is expected',
    });
  const parsed = given.written.map((written) => parseOne(entry, given, written, resolution));
  if (problems.length > before) return undefined;
  if (parameter.nested) return resolveFile(entry, given, resolution);
  const value = parameter.combine(parameter.members ? chooseMembers(entry, parsed as string[], resolution) : parsed);
  const wrong = resolution.checkFiles ? parameter.probe?.(value) : undefined;
  if (wrong) problems.push({ ...origin(entry, given), message: wrong });
  else if (resolution.checkFiles) identities.set(entry.key, identityOf(entry, given, parsed));
  return value;
}

const missing = ({ parameter }: Entry) =>
  `is required: ${parameter.help.charAt(0).toLowerCase()}${parameter.help.slice(1)}${parameter.example ? `, such as ${parameter.example}` : ''}`;

const shown = ({ parameter }: Entry, given: Given) => {
  if (parameter.secret) return given.inline ? '[redacted]' : `[file ${given.written[0]}]`;
  return parameter.repeatable ? given.written.map(redacted) : given.written.slice(0, 1).map(redacted)[0];
};

const origin = (entry: Entry, given: Given) => ({
  parameter: entry.flags[0]!,
  value: entry.parameter.secret && given.inline ? undefined : given.written.map(redacted).join(', '),
  source: given.source,
});

/** `1m` and `60s` are the same; another content of a secret's file is not. */
function identityOf({ parameter }: Entry, given: Given, parsed: readonly unknown[]): string {
  if (!parameter.secret) return JSON.stringify(parsed.map((each) => parameter.format(each)));
  const secret = parsed[0] as Secret;
  return JSON.stringify([given.inline ? '' : given.written[0], secret.problem() === undefined ? secret.read() : '']);
}

function parseOne(entry: Entry, given: Given, written: string, { problems, secretFrom }: Resolution): unknown {
  try {
    return entry.parameter.secret && !given.inline ? secretFrom(written) : entry.parameter.parse(written);
  } catch (error) {
    problems.push({ ...origin(entry, { ...given, written: [written] }), message: (error as Error).message });
    return undefined;
  }
}

const inConfig = ({ key }: Entry, { sources: { config } }: Resolution) =>
  config !== undefined && nodeAt(config.root, [key]) !== undefined;

/** A structure that stands in the config file itself. */
function resolveInline(entry: Entry, resolution: Resolution): unknown {
  const structure = resolution.sources.config!;
  const source = structure.place([entry.key], 'key');
  const named = giveWritten(entry, resolution);
  if (named)
    resolution.problems.push({ ...origin(entry, named), message: `${entry.key} is given at ${source} as well` });
  return readStructureOf(entry, { structure, at: [entry.key], source }, resolution);
}

/** A structure in the file that was given. */
function resolveFile(entry: Entry, given: Given, resolution: Resolution): unknown {
  const [file = ''] = given.written;
  const read = resolution.sources.structures.get(file);
  // On a machine that has none of the files.
  if (!read) return undefined;
  if ('structure' in read) {
    const { source } = given;
    return readStructureOf(entry, { structure: read.structure, at: [], source, file: redacted(file) }, resolution);
  }
  for (const { place, message } of read.problems)
    resolution.problems.push({ ...origin(entry, given), ...(place !== file && { value: place }), message });
  return undefined;
}

type Found = {
  readonly structure: Structure;
  readonly at: readonly string[];
  readonly source: string;
  readonly file?: string;
};

function readStructureOf(entry: Entry, { structure, at, source, file }: Found, resolution: Resolution): unknown {
  const { parameter, key, flags } = entry;
  const written = nodeAt(structure.root, at)!.value;
  resolution.effective[key] = { value: file ?? redactedDeep(written), source, reloadable: parameter.reloadable };
  resolution.identities.set(key, JSON.stringify(written));
  return readNested(parameter.nested!, { structure, at, parameter: flags[0]!, problems: resolution.problems });
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

/**
 * A member's parameter without the member is without effect. On the command line that is a mistake; environment and file may
 * well hold what several members need, of which one is chosen, and are told so.
 */
function sayUnused(entry: Entry, resolution: Resolution): void {
  const { entry: family, member } = entry.owner!;
  const chosen = resolution.chosen.get(family);
  if (!chosen || chosen.has(member)) return;
  const given = giveWritten(entry, resolution);
  const inline = entry.parameter.nested && inConfig(entry, resolution);
  if (!given && !inline) return;
  const message = `has no effect without ${family.flags[0]} ${member}`;
  if (given && resolution.args.flags.has(entry)) resolution.problems.push({ ...origin(entry, given), message });
  else resolution.warnings.push(`${entry.flags[0]} (${given?.source ?? entry.key}): ${message}`);
}

/** Variables may belong to somebody else, so one that is nearly a parameter's is only pointed out. */
function misspeltVariables(env: Environment, entries: readonly Entry[]): string[] {
  const known = new Set(entries.flatMap((entry) => [...entry.env, ...entry.former.env]));
  const own = [...known].filter((each) => each.startsWith('OUTRIGGER_')).map((each) => each.slice(10));
  return Object.keys(env)
    .filter((name) => name.startsWith('OUTRIGGER_') && !known.has(name))
    .flatMap((name) => {
      const guess = nearest(name.slice(10), own);
      return guess ? [`${name} is unknown; did you mean OUTRIGGER_${guess}?`] : [];
    });
}
