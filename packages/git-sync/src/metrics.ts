import { counter, gauge, histogram } from '@outrigger/core';

export const metrics = {
  polls: counter({ help: 'Polls of the remote, by result: unchanged, published, failed', labels: ['result'] }),
  failures: counter({ help: 'Failed polls with all that follows from them, by error code', labels: ['code'] }),
  consecutiveFailures: gauge({ help: 'Failures since the last success' }),
  poll: histogram({
    help: 'How long the remote took to say where the reference is',
    unit: 'seconds',
    buckets: [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
  }),
  publication: histogram({
    help: 'From noticing a commit to its publication',
    unit: 'seconds',
    buckets: [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120],
  }),
  lastSuccessTimestamp: gauge({
    help: 'When the remote was last found unchanged or published, since the epoch',
    unit: 'seconds',
  }),
  publishedTimestamp: gauge({ help: 'When the current commit was published, since the epoch', unit: 'seconds' }),
  publishedInfo: gauge({ help: 'Always 1; the label is the commit that is published', labels: ['commit'] }),
  hookRuns: counter({
    help: 'Runs of hooks and notifiers, by result: success, failure',
    labels: ['hook', 'result'],
  }),
  hook: histogram({
    help: 'How long a run of a hook or notifier took',
    unit: 'seconds',
    labels: ['hook'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 30],
  }),
  hookPending: gauge({ help: '1 while a hook has not worked for the current commit', labels: ['hook'] }),
  recreations: counter({ help: 'Times the local repository was made anew because it could not be used' }),
};
