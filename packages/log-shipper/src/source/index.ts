// Where lines can come from.

import { file } from './file.ts';
import type { SourceMember } from './source.ts';

export const sources = { file } satisfies Record<string, SourceMember>;
