import type { Context } from '@outrigger/core';
import type { metrics } from './metrics.ts';
import type { parameters } from './parameters.ts';

/** What the stages share, with the types of this sidecar's own declarations. */
export type Own = Context<typeof parameters, typeof metrics>;
