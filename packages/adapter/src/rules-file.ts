// The rules in force. The file is looked at before each document is fetched, so that whatever way it changes (edited,
// renamed over, the `..data` swap of a ConfigMap) needs no watcher; wrong new rules are reported and the old ones stay.

import { statSync } from 'node:fs';
import { type Fault, ParameterProblem } from '@outrigger/core';
import { errors } from './errors.ts';
import { type Rules, readRules } from './rules.ts';

export type RulesFile = {
  readonly file: string;
  /** Reads the file again if it changed. */
  refresh(): Rules;
  /** What is wrong with the file as it is now. */
  readonly problems: readonly string[];
};

export type RulesListener = {
  loaded(rules: Rules): void;
  refused(faults: readonly Fault[]): void;
};

export function openRulesFile(file: string, listener: RulesListener): RulesFile {
  let seen = fingerprint(file);
  const first = readRules(file);
  // Checked a moment ago: it changed in between.
  if ('problems' in first) throw new ParameterProblem('rulesFile', first.problems.join('; '));
  let { rules } = first;
  let problems: readonly string[] = [];
  return {
    file,
    get problems() {
      return problems;
    },
    refresh() {
      const now = fingerprint(file);
      if (now === seen) return rules;
      seen = now;
      const read = readRules(file);
      if ('rules' in read) {
        ({ rules } = read);
        problems = [];
        listener.loaded(rules);
      } else {
        problems = read.problems;
        listener.refused(problems.map((problem) => errors.ADAPTER_RULES_WRONG({ problem })));
      }
      return rules;
    },
  };
}

/** Changes with the content, through symbolic links; a file that cannot be looked at is a change too. */
function fingerprint(file: string): string {
  try {
    const { dev, ino, size, mtimeNs } = statSync(file, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}
