import { run } from '@outrigger/core';
import { sidecar } from './sidecar.ts';

await run(sidecar);
