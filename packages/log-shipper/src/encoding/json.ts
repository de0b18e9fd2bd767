// One JSON object per line.

import type { Encoding } from './encoding.ts';

export const json: Encoding = ({ lines: { chunk, spans }, fields, own, common, lineField }) => {
  // Decoding puts U+FFFD in place of what is not UTF-8.
  const line = (index: number) => chunk.bytes.toString('utf8', spans[2 * index], spans[2 * index + 1]);
  return (index, into) => {
    const found = fields?.[index] ?? { [lineField]: line(index) };
    into.text(JSON.stringify({ ...found, ...common, ...own.get(index) }));
    into.byte(0x0a);
  };
};
