// The parameters of each sidecar, judged by its role's own declaration.

import { formatProblem, type Problem } from '@outrigger/core';
import type { ContainerEntry } from '../../manifest/containers.ts';
import type { SidecarParameters } from '../../manifest/parameters.ts';
import type { Path } from '../../manifest/path.ts';
import { defineRule, type Found } from '../rule.ts';

export const sidecarParameters = defineRule({
  name: 'parameters',
  severity: 'error',
  *check({ containers, parameters }) {
    for (const entry of containers) {
      const given = parameters.get(entry.name);
      if (!given) continue;
      for (const problem of given.problems) yield explain(entry, given, problem);
      for (const text of new Set(given.words))
        yield {
          path: wordAt(given, text) ?? [...entry.path, 'args'],
          message: `"${text}" is not a parameter; parameters start with --`,
        };
      for (const action of given.actions)
        yield {
          path: wordAt(given, `--${action}`) ?? [...entry.path, 'args'],
          message: `--${action} makes the sidecar end at once`,
          severity: 'warning',
        };
      for (const warning of given.warnings) {
        const [name = ''] = warning.split(' ');
        const path = variableAt(entry, name) ?? flagAt(given, name) ?? entry.path;
        yield { path, message: warning, severity: 'warning' };
      }
    }
  },
});

function explain(entry: ContainerEntry, given: SidecarParameters, problem: Problem): Found {
  const { parameter, source } = problem;
  const path = variableAt(entry, source ?? '') ??
    flagAt(given, source ?? parameter, problem.value) ??
    flagAt(given, parameter) ?? [...entry.path, entry.container.args ? 'args' : 'name'];
  return { path, message: `${parameter} ${formatProblem({ ...problem, source: undefined })}` };
}

/** The word that holds the flag, or the one behind it that holds its value. */
function flagAt({ argv }: SidecarParameters, flag: string, value?: string): Path | undefined {
  const name = flag.replace(/^--?/, '');
  for (const [index, { text, path }] of argv.entries()) {
    const [written, inline] = text.replace(/^--?/, '').split('=', 2);
    if (!text.startsWith('-') || written !== name) continue;
    if (value === undefined || inline === value) return path;
    if (inline === undefined && argv[index + 1]?.text === value) return argv[index + 1]!.path;
  }
  return undefined;
}

const wordAt = ({ argv }: SidecarParameters, word: string) => argv.find(({ text }) => text === word)?.path;

function variableAt({ container, path }: ContainerEntry, name: string): Path | undefined {
  const index = [...(container.env ?? [])].findLastIndex((variable) => variable.name === name);
  return index < 0 ? undefined : [...path, 'env', index, 'value'];
}
