// What a sidecar would make of a command line, without starting it.

import type { Parameters } from '../parameters/parameter.ts';
import { type Resolved, resolveParameters } from '../parameters/resolve.ts';
import { openSources } from '../parameters/sources.ts';

/** Reads the files that are named, too. Values are right only when there are no problems. */
export async function readParameters<P extends Parameters>(
  parameters: P,
  argv: readonly string[],
  { env = {}, role = 'sample' }: { env?: Readonly<Record<string, string>>; role?: string } = {},
): Promise<Resolved<P>> {
  const sources = await openSources(parameters, { argv, env, role });
  return resolveParameters(parameters, { argv, env, sources });
}
