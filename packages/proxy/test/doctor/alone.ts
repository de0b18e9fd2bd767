// The word `doctor` in a sidecar that can do nothing else.

import { defineSidecar, run } from '@outrigger/core';
import { doctor } from '../../src/doctor/word.ts';

await run(
  defineSidecar({
    name: 'proxy',
    summary: 'Has a doctor',
    version: '1.0.0',
    parameters: {},
    words: { doctor },
    start: () => undefined,
  }),
);
