// What can go wrong when somebody is notified. A role puts these into its own catalogue, so that its reference has them.

import { defineErrors } from '../errors.ts';

export const notifierErrors = {
  NOTIFY_TIMEOUT: {
    message: '{target} did not take the notification within {timeout} ms',
    hint: 'It is tried again; raise the time-out if it needs longer',
  },
  NOTIFY_FAILED: {
    message: '{target} could not be notified',
    hint: 'It is tried again with growing pauses',
  },
  NOTIFY_HTTP_UNREACHABLE: {
    message: '{target} cannot be reached',
    hint: 'Is the application listening there? It is tried again until it does',
  },
  NOTIFY_HTTP_STATUS: {
    message: '{target} answered {status}, {expected} is expected',
    hint: 'The application refuses, and its log should say why; redirects are not followed',
  },
  NOTIFY_PROCESS_NOT_FOUND: {
    message: 'No process is "{process}"; seen: {seen}',
    hint: 'Set shareProcessNamespace: true in the Pod, and --notify-signal-process to the name of the program or script',
  },
  NOTIFY_PROCESS_AMBIGUOUS: {
    message: '"{process}" is not one process: {seen}',
    hint: 'A parent and its children count as one; name the program or script more exactly',
  },
  NOTIFY_PROCESS_GONE: {
    message: 'Process {pid} ended before it was signalled',
    hint: 'Its successor is looked for',
  },
  NOTIFY_SIGNAL_NOT_PERMITTED: {
    message: 'Process {pid} ({process}) runs as user {user}, this sidecar as {own}: it may not send {signal}',
    hint: 'Give both containers the same runAsUser; without capabilities (CAP_KILL) that is the only way',
  },
  NOTIFY_SIGNAL_UNHANDLED: {
    message: 'Process {pid} ({process}) {reaction} {signal}, so it was not sent',
    hint: 'The application has to handle the signal (perhaps it is still starting); else choose another --notify-signal-name',
  },
  NOTIFY_EXEC_FAILED: {
    message: '{target} failed',
    hint: 'What it said last is in the log; it has no shell, no input and an environment of its own, and is ended with all it started',
  },
} as const;

export const errors = defineErrors(notifierErrors);
