// What went wrong, told from what git or the file system said.

import { Fault } from '@outrigger/core';
import { errors } from './errors.ts';
import { GitError } from './git.ts';
import type { Workspace } from './workspace.ts';

export type Stage = 'poll' | 'fetch' | 'local';

const patterns = {
  disk: /No space left on device|Disk quota exceeded|File too large/,
  notWritable: /Read-only file system|Permission denied/,
  reference: /couldn't find remote ref|not our ref|unadvertised object|remote ref .* not found/,
  refused:
    /Authentication failed|could not read (Username|Password)|requested URL returned error: 40[13]|terminal prompts disabled/,
  local:
    /\.lock': File exists|not a git repository: '|object file|loose object|pack(file)? .*(bad|corrupt|unavailable|index)|index file|inflate|bad (object|tree|signature|config)|bad object|corrupt|missing (blob|tree|commit|object)|unable to (read|parse) |unresolved delta|Could not read [0-9a-f]{40}|cannot lock ref|reference broken|shallow file has changed|is not a valid object/,
};

/** A Fault with a stable code, whatever was thrown. What is already one, stays. */
export function classify(
  error: unknown,
  stage: Stage,
  { root, gitDirectory, repository, reference }: Workspace,
): Fault {
  if (error instanceof Fault) return error;
  // A mistake of ours is no fault of the surroundings and must not be retried for ever.
  if (!(error instanceof GitError) && typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
  const repo = repository.url;
  const { code = '', message } = error as NodeJS.ErrnoException;
  const said = `${code} ${message}`;
  // What the remote says about itself tells nothing of our own files.
  const own = said.replace(/(^|; )(remote: |fatal: remote error:)[^;]*/g, '');
  if (error instanceof GitError && error.missing) return errors.GIT_PROGRAM({}, error);
  if (patterns.disk.test(own) || /^(ENOSPC|EDQUOT|EFBIG) /.test(said)) return errors.GIT_DISK_FULL({ root }, error);
  if (stage !== 'local' && patterns.refused.test(said)) return errors.GIT_REMOTE_REFUSED({ repo }, error);
  if (stage !== 'local' && patterns.reference.test(said))
    return errors.GIT_REF_NOT_FOUND({ repo, ref: reference.written }, error);
  if (stage === 'poll') return errors.GIT_REMOTE_UNREACHABLE({ repo }, error);
  if (patterns.notWritable.test(own) || /^(EROFS|EACCES|EPERM) /.test(said))
    return errors.GIT_ROOT_NOT_WRITABLE({ root }, error);
  if (stage === 'local' || patterns.local.test(own)) return errors.GIT_LOCAL_REPOSITORY({ path: gitDirectory }, error);
  return errors.GIT_REMOTE_UNREACHABLE({ repo }, error);
}
