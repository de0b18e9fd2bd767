// A sidecar's parameters while it runs: live values, their sources, and reading them again.

import type { AnySidecar } from '../sidecar.ts';
import { entriesOf } from './names.ts';
import type { Values } from './parameter.ts';
import type { ParameterProblem, Problem } from './problem.ts';
import { type Inputs, openConfigFile, type Resolved, resolveParameters } from './resolve.ts';
import { type StandardParameters, type StandardValues, standardParameters } from './standard.ts';

export const defaultAdminPort = 9410;

export type Reloaded = {
  readonly changed: readonly string[];
  readonly needRestart: readonly string[];
  readonly problems: readonly Problem[];
};

export type OpenParameters = {
  /** Changes in place on reload. */
  readonly values: StandardValues & Readonly<Record<string, unknown>>;
  readonly actions: Resolved<StandardParameters>['actions'];
  readonly words: readonly string[];
  readonly warnings: readonly string[];
  readonly problems: readonly Problem[];
  readonly effective: Resolved<StandardParameters>['effective'];
  /** Adds what the sidecar's own check finds, once the values themselves are right. */
  check(): Promise<void>;
  /** Reads everything again; all or nothing. */
  reload(): Promise<Reloaded>;
  /** A problem found in use, with the flag, value and source of its parameter. */
  problemOf(problem: Pick<ParameterProblem, 'key' | 'message'>): Problem;
};

/** Every parameter of a sidecar: the standard ones and its own. */
export const allParameters = (sidecar: AnySidecar) => ({
  ...standardParameters(sidecar.port ?? defaultAdminPort),
  ...sidecar.parameters,
});

export async function openParameters(sidecar: AnySidecar, inputs: Inputs): Promise<OpenParameters> {
  const parameters = allParameters(sidecar);
  const entries = entriesOf(parameters);
  const read = async () => resolveParameters(parameters, { ...inputs, file: await openConfigFile(parameters, inputs) });
  let resolved = await read();
  const values = { ...resolved.values } as Record<string, unknown>;
  const problems = [...resolved.problems];

  const problemOf: OpenParameters['problemOf'] = ({ key, message }) => {
    const entry = entries.find((each) => each.key === key);
    const effective = resolved.effective[key];
    return {
      parameter: entry?.flags[0] ?? key,
      value: effective && String(effective.value),
      source: effective?.source,
      message,
    };
  };

  return {
    values: values as OpenParameters['values'],
    actions: resolved.actions,
    words: resolved.words,
    warnings: resolved.warnings,
    problems,
    get effective() {
      return resolved.effective;
    },
    problemOf,
    async check() {
      if (problems.length > 0) return;
      await sidecar.check?.({
        parameters: values as Values<StandardParameters>,
        problem: (key: string, message: string) => problems.push(problemOf({ key, message })),
      });
    },
    async reload() {
      const fresh = await read();
      if (fresh.problems.length > 0) return { changed: [], needRestart: [], problems: fresh.problems };
      const differing = Object.keys(parameters).filter((key) => differs(key, resolved, fresh));
      const changed = differing.filter((key) => parameters[key as keyof typeof parameters]?.reloadable);
      for (const key of changed) values[key] = (fresh.values as Record<string, unknown>)[key];
      resolved = { ...resolved, effective: { ...resolved.effective, ...pick(fresh.effective, changed) } };
      return { changed, needRestart: differing.filter((key) => !changed.includes(key)), problems: [] };
    },
  };
}

type AnyResolved = Pick<Resolved<StandardParameters>, 'effective'>;

/** A family counts with its members' own parameters. */
const differs = (key: string, before: AnyResolved, after: AnyResolved) =>
  JSON.stringify(before.effective[key]) !== JSON.stringify(after.effective[key]);

const pick = <T>(from: Readonly<Record<string, T>>, keys: readonly string[]) =>
  Object.fromEntries(keys.filter((key) => key in from).map((key) => [key, from[key]!]));
