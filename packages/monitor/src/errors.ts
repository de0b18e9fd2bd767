import { defineErrors } from '@outrigger/core';

export const errors = defineErrors({
  MONITOR_PROCESSES_UNREADABLE: {
    message: 'The processes of the Pod cannot be sampled',
    hint: 'They are read from /proc, which Linux has and macOS has not; the health of the sidecars is shown all the same',
    status: 501,
  },
  MONITOR_SIDECAR_FAILING: {
    message: 'Sidecar {sidecar} is not ready: {reason}',
    hint: 'Its log and {url}readyz?verbose say more',
  },
  MONITOR_SIDECAR_SILENT: {
    message: 'Sidecar {sidecar} does not answer: {reason}',
    hint: 'It may be stopped or starved of CPU; the list of processes shows its state. Is {url} its admin listener?',
  },
  MONITOR_SIDECAR_GONE: {
    message: 'Sidecar {sidecar} has gone: {reason}',
    hint: 'It has ended or is being restarted; the log of its container says why',
  },
});
