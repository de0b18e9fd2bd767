// Names and parameters that should be given no more: each use is warned of, and two names of one parameter at once refused.

import type { Arguments } from './arguments.ts';
import { type Environment, isSet, type Sources } from './given.ts';
import type { Entry } from './names.ts';
import type { Problem } from './problem.ts';
import { nodeAt } from './structure.ts';

export type Used = { readonly warnings: readonly string[]; readonly problems: readonly Problem[] };

type Names = { readonly current: readonly string[]; readonly former: readonly string[]; readonly instead: string };

export function deprecatedUse(entry: Entry, args: Arguments, env: Environment, sources: Sources): Used {
  const { parameter, flags } = entry;
  if (parameter.deprecated === undefined) return { warnings: [], problems: [] };
  const used = namesUsed(entry, args, env, sources);
  if (typeof parameter.deprecated === 'string') {
    const names = used.flatMap(({ current }) => current);
    return { warnings: names.map((name) => `${name} is deprecated: ${parameter.deprecated}`), problems: [] };
  }
  // By different ways one overrides the other, as a new flag does with an old variable of the image. That a flag which is
  // not repeatable is given twice has been said.
  const both = used
    .slice(parameter.repeatable ? 0 : 1)
    .filter(({ current, former }) => current.length > 0 && former.length > 0);
  return {
    warnings: used.flatMap(({ former, instead }) => former.map((name) => `${name} is deprecated; use ${instead}`)),
    problems: both.map(({ current, former }) => ({
      parameter: flags[0]!,
      message: `is given twice, as ${current[0]} and by its former name ${former[0]}`,
    })),
  };
}

function namesUsed(
  entry: Entry,
  args: Arguments,
  env: Environment,
  { annotations, annotationPrefix: prefix, config }: Sources,
): Names[] {
  const { flags, env: variables, fileKey, former } = entry;
  const written = (name: string) => args.flags.get(entry)?.names.has(name) ?? false;
  const set = (name: string) => isSet(env[name]);
  const noted = (flag: string) => annotations.has(flag.slice(2));
  const annotation = (flag: string) => `${prefix}${flag.slice(2)}`;
  const inFile = (key: string) => config !== undefined && nodeAt(config.root, [key]) !== undefined;
  const placed = (key: string) => `${config!.place([key], 'key')} ${key}`;
  return [
    { current: flags.filter(written), former: former.flags.filter(written), instead: flags[0]! },
    { current: variables.filter(set), former: former.env.filter(set), instead: variables[0]! },
    {
      current: flags.filter(noted).map(annotation),
      former: former.flags.filter(noted).map(annotation),
      instead: annotation(flags[0]!),
    },
    {
      current: [fileKey].filter(inFile).map(placed),
      former: former.keys.filter(inFile).map(placed),
      instead: fileKey,
    },
  ];
}
