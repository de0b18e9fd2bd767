// What the container of a sidecar makes of its parameters, by its role's own declaration.

import { allParameters, type Problem, resolveParameters } from '@outrigger/core';
import type { ContainerEntry } from './containers.ts';
import type { Identity } from './downward.ts';
import { environmentOf } from './environment.ts';
import { expand } from './expand.ts';
import type { Objects, Pod } from './manifest.ts';
import type { Path } from './path.ts';
import { declarationOf } from './toolkit.ts';

export type Address = { readonly host: string; readonly port: number };

/** One word of the program's command line and where it is written. */
export type Word = { readonly text: string; readonly path: Path };

export type SidecarParameters = {
  readonly argv: readonly Word[];
  readonly values: Readonly<Record<string, unknown>> & { readonly adminAddress: Address | undefined };
  /** As written, with the flag or variable it came from. */
  readonly effective: Readonly<Record<string, { readonly value: unknown; readonly source: string }>>;
  readonly problems: readonly Problem[];
  /** What stands on the command line and is not a parameter. */
  readonly words: readonly string[];
  readonly actions: ReadonlySet<string>;
  readonly warnings: readonly string[];
};

type Around = Objects & {
  readonly pod: Pod;
  readonly identity: Identity;
  readonly overrides?: ReadonlyMap<string, Readonly<Record<string, string>>>;
};

/** The words of command and args behind `sidecar`; undefined when the image's own program is not what runs. */
export function sidecarWords({ container, path }: ContainerEntry): Word[] | undefined {
  const list = (field: 'command' | 'args') =>
    [...(container[field] ?? [])].map((text, index) => ({ text: String(text ?? ''), path: [...path, field, index] }));
  const command = list('command');
  if (command.length > 0 && command[0]!.text !== 'sidecar') return undefined;
  return [...command.slice(1), ...list('args')];
}

/** undefined for a container that no role's declaration speaks about. */
export async function parametersOf(entry: ContainerEntry, around: Around): Promise<SidecarParameters | undefined> {
  const words = entry.role && sidecarWords(entry);
  if (!entry.role || !words) return undefined;
  const { values, unresolved } = environmentOf(entry, around);
  const env = { ...values, ...around.overrides?.get(entry.name) };
  const argv = words.map(({ text, path }) => ({ text: expand(text, env), path }));
  const resolved = resolveParameters(allParameters(await declarationOf(entry.role)), {
    argv: argv.map(({ text }) => text),
    env,
    checkFiles: false,
  });
  return {
    argv,
    values: resolved.values as unknown as SidecarParameters['values'],
    effective: resolved.effective,
    // What only the cluster knows may well be right.
    problems:
      unresolved.length > 0 ? resolved.problems.filter(({ source }) => source !== undefined) : resolved.problems,
    words: resolved.words,
    actions: resolved.actions,
    warnings: resolved.warnings,
  };
}
