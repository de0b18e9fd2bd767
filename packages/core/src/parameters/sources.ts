// Reads the files that parameters come from: the config file, the Pod's annotations and the files of structures.

import { annotationPrefix, readAnnotations } from './annotations.ts';
import { parseArguments } from './arguments.ts';
import { type Environment, giveStarting, giveWritten, noSources, type Sources } from './given.ts';
import { type Entry, entriesOf } from './names.ts';
import type { Parameters } from './parameter.ts';
import type { Problem } from './problem.ts';
import { type Misplaced, readStructure, type Structure } from './structure.ts';

type From = {
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly role: string;
  readonly known?: readonly Entry[];
};

/** Never rejects: what is wrong with a file is among the problems. */
export async function openSources(parameters: Parameters, { argv, env, role, known }: From): Promise<Sources> {
  const entries = entriesOf(parameters);
  const args = parseArguments(argv, entries);
  const starting = (key: string) => {
    const entry = entries.find((each) => each.key === key);
    return entry && giveStarting(entry, args, env)?.written[0];
  };
  const [file, directory] = [starting('config'), starting('podInfoDirectory')];
  const config = file === undefined ? {} : await readConfig(file);
  const annotations = directory === undefined ? undefined : await readAnnotations(directory, role, known ?? entries);
  const problems = [...(config.problems ?? []), ...(annotations?.problems ?? [])];
  const sources: Sources = {
    ...noSources,
    config: config.structure,
    annotations: annotations?.values ?? noSources.annotations,
    annotationPrefix: annotationPrefix(role),
    problems,
    incomplete: problems.length > 0,
  };

  const nested = entries
    .filter(({ parameter }) => parameter.nested)
    .map((entry) => giveWritten(entry, { args, env, sources })?.written[0])
    .filter((path) => path !== undefined);
  const structures = await Promise.all(nested.map(async (path) => [path, await readStructure(path)] as const));
  const files = [file, directory, ...nested].filter((each) => each !== undefined);
  return { ...sources, structures: new Map(structures), files };
}

type Config = { readonly structure?: Structure; readonly problems?: readonly Problem[] };

async function readConfig(file: string): Promise<Config> {
  const read = await readStructure(file);
  if ('problems' in read) return { problems: read.problems.map(wrong) };
  const { structure } = read;
  const { value, entries } = structure.root;
  if (entries && !Array.isArray(value)) return { structure };
  // An empty file says nothing.
  return value === null
    ? {}
    : { problems: [wrong({ place: structure.place([]), message: 'a mapping of parameters is expected' })] };
}

const wrong = ({ place, message }: Misplaced): Problem => ({ parameter: '--config', value: place, message });
