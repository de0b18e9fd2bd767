import fc from 'fast-check';
import { expect, test } from 'vitest';
import { uidOf } from '../../src/batch.ts';
import { ByteWriter } from '../../src/byte-writer.ts';
import { uidWriter } from '../../src/encoding/uid.ts';
import { recordsOf } from '../chunk.ts';

test('the id that is written is the id of the record, wherever in whatever file it is', () => {
  const line = fc.string().filter((text) => !text.includes('\n'));
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), fc.maxSafeNat(), (lines, offset) => {
      const records = recordsOf(lines, { offset: Math.max(0, offset - 1_000_000) });
      const write = uidWriter(records);
      for (const index of lines.keys()) {
        const into = new ByteWriter(1);
        write(index, into);
        expect(into.written.toString()).toBe(uidOf(records, index));
      }
    }),
    { verbose: 1 },
  );
});
