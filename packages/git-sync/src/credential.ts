// Who we are to the remote.

import type { Secret } from '@outrigger/core';
import { errors } from './errors.ts';
import type { Credential, Repository } from './repository.ts';

type Given = {
  readonly repo: Repository;
  readonly username: string | undefined;
  readonly password: Secret | undefined;
};

/** Read anew each time. Throws GIT_CREDENTIAL_UNREADABLE. */
export function credentialOf({ repo, username, password }: Given): Credential | undefined {
  if (username === undefined || password === undefined) return repo.credential;
  const problem = password.problem();
  if (problem) throw errors.GIT_CREDENTIAL_UNREADABLE({ problem });
  const value = password.read();
  // git takes credentials line by line: a second line would be something else, another host for example.
  if (/[\r\n\0]/.test(value)) throw errors.GIT_CREDENTIAL_UNREADABLE({ problem: 'has more than one line' });
  return { username, password: value };
}

/** The parameter that is wrong and what is wrong with it, as in git-sync v4. */
export function credentialProblem({ repo, username, password }: Given): ['username' | 'password', string] | undefined {
  if (!username !== !password)
    return username
      ? ['username', 'needs --password-file or GITSYNC_PASSWORD, too']
      : ['password', 'needs --username, too'];
  if (username && /[\r\n\0]/.test(username)) return ['username', 'one line is expected'];
  if (username && repo.credential) return ['username', '--repo has credentials already, one of both is expected'];
  if (username && !repo.origin) return ['username', 'has no effect on a local --repo'];
  return undefined;
}
