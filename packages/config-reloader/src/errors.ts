import { defineErrors } from '@outrigger/core';
import { notifierErrors } from '@outrigger/core/notifier';
import { watchErrors } from '@outrigger/core/watch';

export const errors = defineErrors({
  RELOAD_UNDELIVERED: {
    message: 'Stopped before {target} was notified of generation {generation}',
    hint: 'With --notify-at-start the application is told when the sidecar starts again',
  },
  ...watchErrors,
  ...notifierErrors,
});
