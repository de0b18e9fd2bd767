import { counter, gauge, histogram } from '@outrigger/core';

// By container and never by pid: a Pod has few containers, but any number of processes over its life.
export const metrics = {
  containerProcesses: gauge({ help: 'Processes by container', labels: ['container'] }),
  containerCpu: counter({
    help: 'CPU time used since the monitor started, by container, processes that have ended included',
    unit: 'seconds',
    labels: ['container'],
  }),
  containerMemory: gauge({
    help: 'Memory by container: proportional set size where it can be read, else resident set size',
    unit: 'bytes',
    labels: ['container'],
  }),
  sharedProcessNamespace: gauge({ help: '1 when processes of other containers can be seen, else 0' }),
  samples: counter({ help: 'Samples of the processes', labels: ['outcome'] }),
  sampleDuration: histogram({
    help: 'How long a sample took',
    unit: 'seconds',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
  }),
  sidecarState: gauge({
    help: '1 for the state a sidecar is in: ready, failing, silent (no answer in time), absent (nothing listens)',
    labels: ['sidecar', 'state'],
  }),
  sidecarStateChanges: counter({ help: 'Changes of the state of a sidecar', labels: ['sidecar'] }),
};
