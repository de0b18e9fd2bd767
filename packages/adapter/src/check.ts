// What the parameters name, tested before the start: all of it, each problem on its own line.

import type { Secret } from '@outrigger/core';
import { sourceOf } from './source/index.ts';
import { checkTargetTls, type TlsParameter } from './target-tls.ts';

type Checked = {
  readonly target: URL;
  readonly targetUser: string | undefined;
  readonly targetPassword: Secret | undefined;
  readonly targetToken: Secret | undefined;
} & { readonly [K in TlsParameter]: string | undefined };
type Say = (parameter: keyof Checked, message: string) => void;

export async function checkParameters({ parameters, problem }: { parameters: Checked; problem: Say }): Promise<void> {
  const { target, targetUser, targetPassword, targetToken } = parameters;
  const wrong = sourceOf(target).check(target);
  if (wrong) problem('target', wrong);
  if (target.username || target.password)
    problem('target', 'no user or password is expected here: use --target-user and --target-password-file');
  if (targetPassword && targetUser === undefined) problem('targetUser', 'is needed with --target-password-file');
  if (targetToken && targetUser !== undefined) problem('targetToken', 'either a token or a user is expected, not both');
  await checkTargetTls(parameters, problem);
}
