import { counter, gauge, histogram } from '@outrigger/core';

export const metrics = {
  looks: counter({
    help: 'Times the watched content was compared, by result: changed, unchanged, failed',
    labels: ['result'],
  }),
  changes: counter({ help: 'Changes of the watched content (generations) since the start' }),
  recoveredChanges: counter({ help: 'Changes the periodic comparison found that the kernel gave no event for' }),
  watcherMode: gauge({
    help: '1 for how changes are noticed: events, or polling when events cannot be had',
    labels: ['mode'],
  }),
  missingPaths: gauge({ help: 'Watched paths at which nothing is' }),
  notifications: counter({
    help: 'Attempts to notify the application, by result: success, failure',
    labels: ['notifier', 'result'],
  }),
  notification: histogram({
    help: 'How long an attempt to notify took',
    unit: 'seconds',
    labels: ['notifier'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
  }),
  confirmation: histogram({
    help: 'From the first sign of a change until every notifier had delivered it',
    unit: 'seconds',
    buckets: [0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 30, 120],
  }),
  unconfirmed: gauge({ help: '1 while the newest change is not confirmed' }),
  lastSuccessTimestamp: gauge({ help: 'When a change was confirmed last, since the epoch', unit: 'seconds' }),
  confirmedInfo: gauge({ help: 'Always 1; the label is the hash that was confirmed last', labels: ['hash'] }),
};
