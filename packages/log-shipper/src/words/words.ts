// What the program does instead of running, which a sidecar that runs does not load.

import { duration, family, path, text, type Values } from '@outrigger/core';
import { sampled } from '../parameters.ts';
import { sinks } from '../sink/index.ts';
import type { Sampled } from './sample.ts';

type Given = { readonly parameters: Sampled };

const replayed = {
  stateDirectory: path({ access: 'directory', help: 'State directory of the shipper', example: '/var/lib/outrigger' }),
  to: family(sinks, { repeatable: false, default: ['stdout'], help: 'Where they go now' }),
  since: text({ optional: true, help: 'Only letters refused at this time or later: a date, or so long ago, as 2h' }),
  until: text({ optional: true, help: 'Only letters refused before this time: a date, or so long ago' }),
  refusedBy: text({ optional: true, help: 'Only letters that this sink refused' }),
  reason: text({ optional: true, help: 'Only letters with this text in their reason' }),
  patience: duration({ default: '1m', help: 'For how long to try again while a receiver takes nothing' }),
};

export type Replayed = Values<typeof replayed>;

export const words = {
  check: {
    summary: 'Sends one marked record to each sink and says what becomes of it: name, connection, TLS, clock, verdict',
    parameters: sampled,
    async run({ parameters }: Given): Promise<number> {
      const { check } = await import('./check.ts');
      return (await check(parameters)) ? 0 : 1;
    },
  },
  render: {
    summary: 'Prints what a sink would send for the lines on standard input, and sends nothing',
    parameters: sampled,
    async run({ parameters }: Given): Promise<number> {
      const { render } = await import('./render.ts');
      process.stdout.write(await render(parameters));
      return 0;
    },
  },
  replay: {
    summary: 'Sends dead letters again, to any sink, and removes what was delivered',
    parameters: replayed,
    async run({ parameters }: { readonly parameters: Replayed }): Promise<number> {
      const { replayTo } = await import('./replay.ts');
      return await replayTo(parameters);
    },
  },
};
