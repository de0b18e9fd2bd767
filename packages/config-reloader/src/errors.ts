import { defineErrors } from '@outrigger/core';

export const errors = defineErrors({
  RELOAD_UNREADABLE: {
    message: '"{path}" cannot be read',
    hint: 'What was read last stays in force; let the user this sidecar runs as read the file (defaultMode, fsGroup)',
  },
  RELOAD_MISSING: {
    message: 'Nothing is at "{path}"',
    hint: 'It is looked for; until it comes back, what it held last stays in force',
  },
  RELOAD_SKIPPED: {
    message: '"{path}" is neither a file nor a directory and is not read',
    hint: 'Pipes, sockets and devices have no content to compare',
  },
  RELOAD_TOO_MANY_FILES: {
    message: 'More than {limit} files and directories are watched',
    hint: 'Name a narrower path in --watch',
  },
  RELOAD_UNSETTLED: {
    message: 'The files changed {attempts} times while they were read',
    hint: 'Whoever writes them does not pause; raise --settle, or write beside the file and rename',
  },
  RELOAD_POLLING: {
    message: 'The kernel gives no events for all that is watched: looking every {period} ms instead',
    hint: 'Raise the sysctls fs.inotify.max_user_watches (ENOSPC) or fs.inotify.max_user_instances (EMFILE) of the node',
  },
  RELOAD_TIMEOUT: {
    message: '{target} did not take the notification within {timeout} ms',
    hint: 'It is tried again; raise --notify-timeout if the application needs longer to reload',
  },
  RELOAD_FAILED: {
    message: '{target} could not be notified',
    hint: 'It is tried again with growing pauses',
  },
  RELOAD_UNDELIVERED: {
    message: 'Stopped before {target} was notified of generation {generation}',
    hint: 'With --notify-at-start the application is told when the sidecar starts again',
  },
  RELOAD_HTTP_UNREACHABLE: {
    message: '{target} cannot be reached',
    hint: 'Is the application listening there? It is tried again until it does',
  },
  RELOAD_HTTP_STATUS: {
    message: '{target} answered {status}, {expected} is expected',
    hint: 'The application refuses to reload, and its log should say why; redirects are not followed',
  },
  RELOAD_PROCESS_NOT_FOUND: {
    message: 'No process is "{process}"; seen: {seen}',
    hint: 'Set shareProcessNamespace: true in the Pod, and --notify-signal-process to the name of the program or script',
  },
  RELOAD_PROCESS_AMBIGUOUS: {
    message: '"{process}" is not one process: {seen}',
    hint: 'A parent and its children count as one; name the program or script more exactly',
  },
  RELOAD_PROCESS_GONE: {
    message: 'Process {pid} ended before it was signalled',
    hint: 'Its successor is looked for',
  },
  RELOAD_SIGNAL_NOT_PERMITTED: {
    message: 'Process {pid} ({process}) runs as user {user}, this sidecar as {own}: it may not send {signal}',
    hint: 'Give both containers the same runAsUser; without capabilities (CAP_KILL) that is the only way',
  },
  RELOAD_SIGNAL_UNHANDLED: {
    message: 'Process {pid} ({process}) {reaction} {signal}, so it was not sent',
    hint: 'The application has to handle the signal (perhaps it is still starting); else choose another --notify-signal-name',
  },
});
