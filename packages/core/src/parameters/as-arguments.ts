// Parameters of a file as the words of a command line that says the same, for who writes command lines: manifests.

import { fromConfig, noSources } from './given.ts';
import { type Entry, entriesOf } from './names.ts';
import type { Parameters, Path, Values } from './parameter.ts';
import type { Problem } from './problem.ts';
import { resolveParameters } from './resolve.ts';
import { nodeAt, type Structure } from './structure.ts';

export type Arguments<P extends Parameters> = {
  /** `--name=value`, in the order of the declaration, whatever that of the file. */
  readonly argv: readonly string[];
  readonly values: Values<P>;
  /** `source` is `file:line:col`, unless something is missing. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
};

/** @param at where in the structure a mapping of parameters stands, as in a config file; it may be missing. */
export function argumentsOf<P extends Parameters>(parameters: P, structure: Structure, at: Path): Arguments<P> {
  const config: Structure = {
    file: structure.file,
    root: nodeAt(structure.root, at) ?? { value: {}, offset: 0, entries: new Map(), weight: 1, height: 1 },
    place: (path, where) => structure.place([...at, ...path], where),
  };
  const sources = { ...noSources, config };
  const resolved = resolveParameters(parameters, { argv: [], env: {}, checkFiles: false, sources });
  const problems = [...resolved.problems];
  const entries = entriesOf(parameters);
  const argv = entries.flatMap((entry) => wordsOf(entry, config, problems));
  // What is only warned of in a file may be wrong on a command line.
  const wrong = resolveParameters(parameters, { argv, env: {}, checkFiles: false }).problems.filter(
    ({ parameter }) => !problems.some((each) => each.parameter === parameter),
  );
  const placed = wrong.map((problem) => {
    const key = entries.find(({ flags }) => flags.includes(problem.parameter))?.fileKey;
    return { ...problem, source: key === undefined ? undefined : config.place([key], 'key') };
  });
  return {
    argv,
    values: resolved.values,
    problems: [...problems, ...placed],
    warnings: resolved.warnings.filter((each) => !wrong.some(({ parameter }) => each.startsWith(`${parameter} `))),
  };
}

function wordsOf(entry: Entry, config: Structure, problems: Problem[]): string[] {
  const [flag = ''] = entry.flags;
  const given = fromConfig(entry, { config });
  const refuse = (key: string, message: string) => {
    problems.push({ parameter: flag, source: config.place([key], 'key'), message });
    return [];
  };
  if (entry.parameter.nested && nodeAt(config.root, [entry.key]))
    return refuse(entry.key, `is too much for a command line: put it into a file and give ${entry.fileKey}`);
  if (!given) return [];
  if (given.written.length === 0 && !given.malformed) return refuse(entry.fileKey, 'a value is expected');
  // The keys of a mapping have no order.
  const written = entry.parameter.kind.startsWith('key=') ? given.written.toSorted() : given.written;
  return written.map((each) => `${flag}=${each}`);
}
