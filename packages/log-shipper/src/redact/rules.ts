// The rules there are, in the order in which they name what several of them find.

import { authorization } from './authorization.ts';
import { card } from './card.ts';
import { jwt } from './jwt.ts';
import { awsKey, email, iban } from './plain.ts';
import { privateKey } from './private-key.ts';
import type { Rule } from './rule.ts';
import { secretOf } from './secret.ts';
import { urlPassword } from './url-password.ts';

export const ruleNames = [
  'secret',
  'authorization',
  'private-key',
  'jwt',
  'aws-key',
  'url-password',
  'card',
  'email',
  'iban',
] as const;
export type RuleName = (typeof ruleNames)[number];

/** Those that are wrong so seldom that nobody has to ask for them. */
export const usual: readonly RuleName[] = ruleNames.slice(0, 7);

/** @param keys more names of keys whose values are secrets. */
export function rulesOf(names: readonly RuleName[], keys: readonly string[] = []): Rule[] {
  const all: Record<RuleName, Rule> = {
    secret: secretOf(keys),
    authorization,
    'private-key': privateKey,
    jwt,
    'aws-key': awsKey,
    'url-password': urlPassword,
    card,
    email,
    iban,
  };
  return ruleNames.filter((name) => names.includes(name)).map((name) => all[name]);
}
