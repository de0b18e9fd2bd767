// How records can be written.

import type { Encoding } from './encoding.ts';
import { json } from './json.ts';
import { line } from './line.ts';
import { msgpack } from './msgpack.ts';

export const encodings = { line, json, msgpack } satisfies Record<string, Encoding>;
export type EncodingName = keyof typeof encodings;
