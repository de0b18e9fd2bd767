import { boolean, duration, family, list, path } from '@outrigger/core';
import { notifiers } from '@outrigger/core/notifier';

export const parameters = {
  watch: list(path, {
    example: '/etc/app',
    help: 'Files and directories whose content counts, links followed; what is missing is waited for',
  }),
  settle: duration({
    default: '50ms',
    max: '1h',
    reloadable: true,
    help: 'How long changes must pause before they count, at the latest after ten times that; 0 to look at once',
  }),
  reconcile: duration({
    default: '1m',
    min: '100ms',
    max: '1d',
    reloadable: true,
    help: 'How often everything is read and compared, in case the kernel did not tell of a change',
  }),
  notify: family(notifiers, {
    repeatable: true,
    example: 'signal',
    help: 'How the application is told; a generation is confirmed once every notifier has delivered it',
  }),
  notifyTimeout: duration({
    default: '10s',
    min: '10ms',
    max: '1h',
    reloadable: true,
    help: 'How long one attempt to notify may take; failed attempts are repeated with growing pauses of up to 30s',
  }),
  notifyAtStart: boolean({
    default: 'false',
    help: 'Notify of what is found at the start, too; otherwise only of changes to it',
  }),
};
