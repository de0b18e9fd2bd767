import { defineErrors } from '@outrigger/core';
import { notifierErrors } from '@outrigger/core/notifier';

export const errors = defineErrors({
  GIT_REMOTE_UNREACHABLE: {
    message: '"{repo}" cannot be reached',
    hint: 'It is tried again with growing pauses, and what was published stays; check the address, DNS, TLS and network policy',
    status: 502,
  },
  GIT_REMOTE_REFUSED: {
    message: '"{repo}" refuses access',
    hint: 'Check --username and --password-file; the file is read again for every poll, so a new one needs no restart',
    status: 502,
  },
  GIT_REMOTE_EMPTY: {
    message: '"{repo}" has no branch and no tag yet',
    hint: 'It is published as soon as something is pushed',
    status: 502,
  },
  GIT_REF_NOT_FOUND: {
    message: '"{repo}" has no "{ref}"',
    hint: 'Check --ref; what was published stays until the branch, tag or commit comes back',
    status: 502,
  },
  GIT_TIMEOUT: {
    message: 'git took longer than {timeout} ms and was ended',
    hint: 'The remote may hang, else raise --sync-timeout; --depth 1 fetches least',
    status: 504,
  },
  GIT_DISK_FULL: {
    message: 'No space is left in "{root}"',
    hint: 'What was published stays; give the volume room for three trees and the repository',
    status: 507,
  },
  GIT_ROOT_NOT_WRITABLE: {
    message: '"{root}" cannot be written',
    hint: 'Mount it without readOnly and let the user this sidecar runs as write to it (fsGroup)',
  },
  GIT_LOCAL_REPOSITORY: {
    message: 'The local repository "{path}" cannot be used',
    hint: 'It is made anew beside what is published, which stays',
  },
  GIT_TREE_INCOMPLETE: {
    message: 'The tree of {commit} is not as it was committed: {difference}',
    hint: 'It is not published but checked out anew; does something else write to the volume?',
  },
  GIT_LINK_TAKEN: {
    message: '"{link}" is {found}, not a link of this sidecar',
    hint: 'Nothing of yours is deleted: move it away or choose another --link',
  },
  GIT_CREDENTIAL_UNREADABLE: {
    message: 'The password cannot be used: its file {problem}',
    hint: 'Check --password-file; it is read again for every poll',
  },
  GIT_PROGRAM: {
    message: 'git cannot be run',
    hint: 'Install git or name it with --git',
  },
  GIT_HOOK_UNFINISHED: {
    message: 'Stopped before {hook} ({target}) worked for {commit}',
    hint: 'Every start runs it for what is published then',
  },
  ...notifierErrors,
});
