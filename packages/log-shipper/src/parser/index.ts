// What a line can be.

import { json } from './json.ts';
import type { ParserMember } from './parser.ts';
import { raw } from './raw.ts';

export const parsers = { raw, json } satisfies Record<string, ParserMember>;
