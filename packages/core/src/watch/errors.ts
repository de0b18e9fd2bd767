// What can stand in the way of watching. A role puts these into its own catalogue, so that its reference has them.

import { defineErrors } from '../errors.ts';

export const watchErrors = {
  WATCH_UNREADABLE: {
    message: '"{path}" cannot be read',
    hint: 'What was read last stays in force; let the user this sidecar runs as read it (defaultMode, fsGroup)',
  },
  WATCH_MISSING: {
    message: 'Nothing is at "{path}"',
    hint: 'It is looked for; until it comes back, what it held last stays in force',
  },
  WATCH_SKIPPED: {
    message: '"{path}" is neither a file nor a directory and is not read',
    hint: 'Pipes, sockets and devices have no content to compare',
  },
  WATCH_TOO_MANY_FILES: {
    message: '"{path}" holds more than {limit} files and directories',
    hint: 'It is looked at again now and then; name a narrower path',
  },
  WATCH_UNSETTLED: {
    message: 'The files changed {attempts} times while they were read',
    hint: 'Whoever writes them does not pause; let changes settle for longer, or write beside the file and rename',
  },
  WATCH_NOT_TAKEN: {
    message: 'The change of "{paths}" could not be taken over',
    hint: 'It is tried again',
  },
  WATCH_POLLING: {
    message: 'The kernel gives no events for all that is watched: looking every {period} ms instead',
    hint: 'Raise the sysctls fs.inotify.max_user_watches (ENOSPC) or fs.inotify.max_user_instances (EMFILE) of the node',
  },
} as const;

export const errors = defineErrors(watchErrors);
