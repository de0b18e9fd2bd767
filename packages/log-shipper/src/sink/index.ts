// Where records can go.

import { forward } from './forward.ts';
import type { SinkMember } from './sink.ts';
import { stdout } from './stdout.ts';

export const sinks = { stdout, forward } satisfies Record<string, SinkMember>;
