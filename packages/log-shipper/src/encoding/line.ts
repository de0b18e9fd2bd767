// The line as it was, and a newline. What was parsed out of it or added to it is not shown.

import type { Encoding } from './encoding.ts';

export const line: Encoding = (records) => {
  const { bytes, spans, replaced } = records;
  return (index, into) => {
    const changed = replaced?.get(index);
    if (changed) into.copy(changed);
    else into.copy(bytes, spans[2 * index]!, spans[2 * index + 1]!);
    into.byte(0x0a);
  };
};
