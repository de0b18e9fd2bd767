import { duration } from '@outrigger/core';

export const parameters = {
  period: duration({
    default: '1m',
    min: '10ms',
    reloadable: true,
    help: 'How long to wait between two rounds of work',
  }),
};
