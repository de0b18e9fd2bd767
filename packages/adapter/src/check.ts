// What the parameters name, tested before the start: all of it, each problem on its own line.

import type { Secret } from '@outrigger/core';
import { readRules } from './rules.ts';
import { sourceOf } from './source/index.ts';

type Checked = {
  readonly target: URL;
  readonly rulesFile: string;
  readonly targetUser: string | undefined;
  readonly targetPassword: Secret | undefined;
  readonly targetToken: Secret | undefined;
};
type Say = (parameter: keyof Checked, message: string) => void;

export function checkParameters({ parameters, problem }: { parameters: Checked; problem: Say }): void {
  const { target, rulesFile, targetUser, targetPassword, targetToken } = parameters;
  const wrong = sourceOf(target).check(target);
  if (wrong) problem('target', wrong);
  if (target.username || target.password)
    problem('target', 'no user or password is expected here: use --target-user and --target-password-file');
  if (targetPassword && targetUser === undefined) problem('targetUser', 'is needed with --target-password-file');
  if (targetToken && targetUser !== undefined) problem('targetToken', 'either a token or a user is expected, not both');
  const rules = readRules(rulesFile);
  if ('problems' in rules) for (const each of rules.problems) problem('rulesFile', each);
}
