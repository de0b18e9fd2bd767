import { boolean, integer } from '@outrigger/core';
import { defineTransform } from './transform.ts';

const error = 17;

export const sample = defineTransform({
  summary: 'Keeps one of so many records, the same ones each time',
  parameters: {
    oneOf: integer({ min: 1, max: 1_000_000, help: 'Of how many records one is kept', example: '10' }),
    keepErrors: boolean({
      default: 'true',
      help: 'Keeps every record whose level is error or above; to see levels, lines of JSON are parsed',
    }),
  },
  open: ({ oneOf, keepErrors }) => ({
    needs: keepErrors ? 'fields' : 'bytes',
    apply(records) {
      for (let index = 0; index < records.count; index++) {
        if (keepErrors && records.level(index) >= error) continue;
        if (hashOf(records.line(index)) % oneOf !== 0) records.drop(index, 'sample');
      }
    },
  }),
});

/** FNV-1a, and a last mixing without which its low bits are those of the last bytes. */
function hashOf(line: Buffer): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < line.length; at++) hash = Math.imul(hash ^ line[at]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
