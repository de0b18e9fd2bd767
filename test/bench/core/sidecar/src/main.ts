// An empty sidecar: what every sidecar costs before it does anything.

import { defineSidecar, run } from '@outrigger/core';

await run(
  defineSidecar({ name: 'empty', summary: 'Does nothing', version: '0.1.0', parameters: {}, start: () => undefined }),
);
