// Where a parameter's value comes from: flag, environment, annotation, config file, default, in this order.

import type { Arguments } from './arguments.ts';
import type { Entry } from './names.ts';
import type { Problem } from './problem.ts';
import { type Node, nodeAt, type ReadStructure, type Structure } from './structure.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What was read from files before values are made of it. */
export type Sources = {
  readonly config?: Structure | undefined;
  /** The Pod's annotations for this role, `log-level` to `debug`, with the whole name before that. */
  readonly annotations: ReadonlyMap<string, string>;
  readonly annotationPrefix: string;
  /** Structures by the path of their file. */
  readonly structures: ReadonlyMap<string, ReadStructure>;
  readonly problems: readonly Problem[];
  /** A source could not be read: what seems to be missing may well be there. */
  readonly incomplete: boolean;
  /** What was read, or would have been were it there. */
  readonly files: readonly string[];
};

export const noSources: Sources = {
  annotations: new Map(),
  annotationPrefix: '',
  structures: new Map(),
  problems: [],
  incomplete: false,
  files: [],
};

export type Given = {
  readonly written: readonly string[];
  readonly source: string;
  /** The secret itself and not the file that holds it. */
  readonly inline?: boolean;
  /** Deeper than the written form of any value. */
  readonly malformed?: boolean;
};

type From = { readonly args: Arguments; readonly env: Environment; readonly sources: Sources };

/** Undefined when nobody says anything about it. */
export const give = (entry: Entry, from: From): Given | undefined => giveWritten(entry, from) ?? fromDefault(entry);

/** The same without the default. */
export const giveWritten = (entry: Entry, { args, env, sources }: From): Given | undefined =>
  giveStarting(entry, args, env) ?? fromAnnotations(entry, sources) ?? fromConfig(entry, sources);

/** What is known before any file is read. */
export const giveStarting = (entry: Entry, args: Arguments, env: Environment): Given | undefined =>
  fromFlags(entry, args) ?? fromEnvironment(entry, env);

function fromFlags(entry: Entry, { flags }: Arguments): Given | undefined {
  const given = flags.get(entry);
  return given && { written: given.written, source: given.flag };
}

function fromEnvironment({ env: names, former, parameter }: Entry, env: Environment): Given | undefined {
  const name = [...names, ...former.env].find((each) => isSet(env[each]));
  return name === undefined
    ? undefined
    : { written: split(env[name]!, parameter.repeatable), source: name, inline: !name.endsWith('_FILE') };
}

/** An empty variable is an unset one: manifests and shells write both the same way. */
export const isSet = (written: string | undefined) => written !== undefined && written !== '';

function fromAnnotations({ flags, former, parameter }: Entry, sources: Sources): Given | undefined {
  const names = [...flags, ...former.flags].map((flag) => flag.slice(2));
  const name = names.find((each) => sources.annotations.has(each));
  if (name === undefined || parameter.secret) return undefined;
  const written = split(sources.annotations.get(name)!, parameter.repeatable);
  return { written, source: `annotation ${sources.annotationPrefix}${name}` };
}

function split(written: string, repeatable: boolean): string[] {
  if (!repeatable) return [written];
  const items = written.split(written.includes('\n') ? '\n' : ',').map((item) => item.trim());
  return items.filter((item) => item !== '');
}

export function fromConfig({ fileKey, former }: Entry, { config }: Pick<Sources, 'config'>): Given | undefined {
  const key = config && [fileKey, ...former.keys].find((each) => nodeAt(config.root, [each]));
  if (key === undefined) return undefined;
  const written = writtenIn(nodeAt(config!.root, [key])!);
  return { written: written ?? [], malformed: written === undefined, source: config!.place([key], 'key') };
}

/** A scalar as one text, a list as many, a mapping as key=value pairs; undefined for anything deeper. */
function writtenIn({ value, text, entries }: Node): string[] | undefined {
  if (!entries) return text === undefined ? undefined : [text];
  const texts: string[] = [];
  for (const [key, { node }] of entries) {
    if (node.text === undefined) return undefined;
    texts.push(Array.isArray(value) ? node.text : `${key}=${node.text}`);
  }
  return texts;
}

function fromDefault({ parameter }: Entry): Given | undefined {
  if (parameter.default === undefined) return undefined;
  return { written: [parameter.default].flat(), source: 'default' };
}
