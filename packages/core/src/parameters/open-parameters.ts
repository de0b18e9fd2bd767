// A sidecar's parameters while it runs: live values, their sources, and reading them again.

import { reasonOf } from '../errors.ts';
import { Secret } from '../secret.ts';
import type { AnySidecar } from '../sidecar.ts';
import { type Change, changeOf, copyOf, differing, isLive, type Live, putInPlace } from './changes.ts';
import { type Entry, entriesOf } from './names.ts';
import type { Values } from './parameter.ts';
import type { ParameterProblem, Problem } from './problem.ts';
import { flagOf, problemIn } from './problem-in.ts';
import { type Effective, type Inputs, type Resolved, resolveParameters } from './resolve.ts';
import { openSources } from './sources.ts';
import { type StandardParameters, type StandardValues, standardParameters } from './standard.ts';

export const defaultAdminPort = 9410;

export type Reloaded = {
  readonly changed: readonly Change[];
  /** What keeps its old value until the sidecar is started again. */
  readonly needRestart: readonly Change[];
  /** Any: nothing was changed. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
};

export type OpenParameters = {
  /** Changes in place on reload. */
  readonly values: StandardValues & Readonly<Record<string, unknown>>;
  readonly actions: Resolved<StandardParameters>['actions'];
  readonly words: readonly string[];
  readonly warnings: readonly string[];
  readonly problems: readonly Problem[];
  readonly effective: Readonly<Record<string, Effective>>;
  readonly entries: readonly Entry[];
  /** Files and directories that were read: a change of one is a reason to reload. Not secrets, which look by themselves. */
  files(): readonly string[];
  /** Why the last reading again was refused; empty when what was given is in force. */
  readonly refused: readonly Problem[];
  /** Adds what the sidecar's own check finds, wrong or only to be warned of, once the values themselves are right. */
  check(): Promise<void>;
  /** Reads everything again; all or nothing, and one after the other. Never rejects. */
  reload(): Promise<Reloaded>;
  /** A problem found in use, with the flag, value and source of its parameter. */
  problemOf(problem: Pick<ParameterProblem, 'key' | 'message'>): Problem;
};

/** Every parameter of a sidecar: the standard ones and its own. */
export const allParameters = (sidecar: AnySidecar) => ({
  ...standardParameters(sidecar.port ?? defaultAdminPort),
  ...sidecar.parameters,
});

type Read = Resolved<StandardParameters> & { readonly files: readonly string[] };
type Found = { readonly problems: Problem[]; readonly warnings: readonly string[] };

export async function openParameters(
  sidecar: AnySidecar,
  { argv, env }: Pick<Inputs, 'argv' | 'env'>,
): Promise<OpenParameters> {
  const parameters = allParameters(sidecar);
  const entries = entriesOf(parameters);
  // One for each file: a reload in the middle of a rotation finds the value that still serves.
  const secrets = new Map<string, Secret>();
  const secretFrom = (file: string) => {
    const secret = secrets.get(file) ?? Secret.fromFile(file);
    secrets.set(file, secret);
    return secret;
  };
  const read = async (): Promise<Read> => {
    const sources = await openSources(parameters, { argv, env, role: sidecar.name });
    return { ...resolveParameters(parameters, { argv, env, sources, secretFrom }), files: sources.files };
  };
  /** What the sidecar's own check finds in values that were read. */
  const find = async (values: Live, { effective }: Pick<Read, 'effective'>): Promise<Found> => {
    const problems: Problem[] = [];
    const warnings: string[] = [];
    await sidecar.check?.({
      parameters: values as Values<StandardParameters>,
      problem: (key: string, message: string) => problems.push(problemIn({ key, message }, entries, effective)),
      warning: (keys: readonly string[], message: string) =>
        warnings.push(`${keys.map((key) => flagOf(key, entries)).join(', ')}: ${message}`),
    });
    return { problems, warnings };
  };

  let resolved = await read();
  let tried = resolved.files;
  const values: Live = { ...resolved.values };
  const problems = [...resolved.problems];
  const warnings = [...resolved.warnings];

  const reload = async (): Promise<Reloaded> => {
    const fresh = await read();
    tried = fresh.files;
    const warnings = [...fresh.warnings];
    const refuse = (wrong: readonly Problem[]) => ({ changed: [], needRestart: [], problems: wrong, warnings });
    if (fresh.problems.length > 0) return refuse(fresh.problems);

    const differences = differing(entries, resolved, fresh);
    const live = new Set(differences.filter((entry) => isLive(entry, resolved, fresh)));
    const staying = differences.filter((entry) => !live.has(entry));
    // The same structure may stand at other lines now, which its value may tell.
    const moved = entries.filter(
      (entry) => entry.parameter.nested && entry.parameter.reloadable && !staying.includes(entry),
    );
    const put = (into: Live) => {
      for (const entry of new Set([...live, ...moved])) putInPlace(entry, into, fresh.values as Live);
      return into;
    };
    // Both what a new start would read and what would be in force until then must be right.
    const found = await find(fresh.values as Live, fresh);
    warnings.push(...found.warnings);
    let wrong = found.problems;
    if (wrong.length === 0 && staying.length > 0) wrong = (await find(put(copyOf(values, entries)), fresh)).problems;
    if (wrong.length > 0) return refuse(wrong);

    put(values);
    const changes = (some: Iterable<Entry>) => [...some].map((entry) => changeOf(entry, resolved, fresh));
    const reloaded = { changed: changes(live), needRestart: changes(staying), problems: [], warnings };
    resolved = keeping(staying, resolved, fresh);
    return reloaded;
  };
  const failed = (error: unknown): Reloaded => {
    const problem = { parameter: 'reload', message: reasonOf(error) };
    return { changed: [], needRestart: [], problems: [problem], warnings: [] };
  };
  let last: Promise<unknown> = Promise.resolve();
  let refused: readonly Problem[] = [];

  return {
    values: values as OpenParameters['values'],
    actions: resolved.actions,
    words: resolved.words,
    warnings,
    problems,
    entries,
    get effective() {
      return resolved.effective;
    },
    get refused() {
      return refused;
    },
    // What was refused for a file that it names is right once that file is.
    files: () => [...new Set([...resolved.files, ...tried])],
    problemOf: (problem) => problemIn(problem, entries, resolved.effective),
    async check() {
      if (problems.length > 0) return;
      const found = await find(values, resolved);
      problems.push(...found.problems);
      warnings.push(...found.warnings);
    },
    reload() {
      const reloading = last.then(reload).catch(failed);
      reloading.then(({ problems }) => {
        refused = problems;
      });
      last = reloading;
      return reloading;
    },
  };
}

/** The new reading, but for the entries that keep their old values. */
function keeping(staying: readonly Entry[], before: Read, after: Read): Read {
  const effective = { ...after.effective };
  const identities = new Map(after.identities);
  for (const { key } of staying) {
    if (before.effective[key]) effective[key] = before.effective[key];
    else delete effective[key];
    if (before.identities.has(key)) identities.set(key, before.identities.get(key)!);
    else identities.delete(key);
  }
  return { ...after, effective, identities };
}
