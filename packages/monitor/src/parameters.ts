import { boolean, duration, map, url } from '@outrigger/core';

export const parameters = {
  sidecars: map((options) => url({ ...options, schemes: ['http'] }), {
    default: [
      'proxy=http://127.0.0.1:9401',
      'log-shipper=http://127.0.0.1:9402',
      'adapter=http://127.0.0.1:9403',
      'git-sync=http://127.0.0.1:9404',
      'config-reloader=http://127.0.0.1:9405',
    ],
    help: 'Sidecars whose health is shown: a name and the URL of its admin listener',
  }),
  healthPeriod: duration({
    default: '5s',
    min: '100ms',
    reloadable: true,
    help: 'How long to wait between two questions to a sidecar',
  }),
  healthTimeout: duration({
    default: '2s',
    min: '10ms',
    reloadable: true,
    help: 'How long a sidecar may take to answer both questions before it counts as silent',
  }),
  samplePeriod: duration({
    default: '2s',
    min: '100ms',
    reloadable: true,
    help: 'How old a sample of the processes may be when somebody looks',
  }),
  idlePeriod: duration({
    default: '10s',
    min: '100ms',
    reloadable: true,
    help: 'How often the processes are sampled while nobody looks, for the metrics',
  }),
  showArguments: boolean({
    default: 'false',
    help: 'Show the arguments of other processes too, which may hold passwords',
  }),
};
