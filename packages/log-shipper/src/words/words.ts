// What the program does instead of running, which a sidecar that runs does not load.

import { sampled } from '../parameters.ts';
import type { Sampled } from './sample.ts';

type Given = { readonly parameters: Sampled };

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
};
