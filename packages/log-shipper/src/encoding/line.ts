// The line as it was, and a newline. What was parsed out of it or added to it is not shown.

import type { Encoding } from './encoding.ts';

export const line: Encoding =
  ({ lines: { chunk, spans } }) =>
  (index, into) => {
    into.copy(chunk.bytes, spans[2 * index]!, spans[2 * index + 1]!);
    into.byte(0x0a);
  };
