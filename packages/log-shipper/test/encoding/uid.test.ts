import fc from 'fast-check';
import { expect, test } from 'vitest';
import { uidOf } from '../../src/batch.ts';
import { ByteWriter } from '../../src/byte-writer.ts';
import { uidWriter } from '../../src/encoding/uid.ts';
import { joinOf } from '../../src/join/index.ts';
import { Records } from '../../src/records.ts';
import { chunkOf, recordsOf } from '../chunk.ts';

const written = (records: Records, index: number): string => {
  const into = new ByteWriter(1);
  uidWriter(records)(index, into);
  return into.written.toString();
};

test('the id that is written is the id of the record, wherever in whatever file it is', () => {
  const line = fc.string().filter((text) => !text.includes('\n'));
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), fc.maxSafeNat(), (lines, offset) => {
      const records = recordsOf(lines, { offset: Math.max(0, offset - 1_000_000) });
      for (const index of lines.keys()) expect(written(records, index)).toBe(uidOf(records, index));
    }),
    { verbose: 1 },
  );
});

test('two that say the same while a record of the other stream is under way are two', () => {
  const line = (stream: string, tag: string, text: string) =>
    `2016-10-06T00:17:09.669794202Z ${stream} ${tag} ${text}\n`;
  const first = line('stdout', 'F', 'before');
  const content = [
    first,
    line('stdout', 'P', 'on '),
    line('stderr', 'F', 'again'),
    line('stderr', 'F', 'again'),
    line('stdout', 'F', 'and on'),
  ].join('');
  const uidsFrom = (offset: number) => {
    const chunk = chunkOf(content.slice(offset), { offset, unfinished: 'line' });
    const records = new Records({ chunk, ...joinOf({ envelope: 'cri' })!(chunk, { record: 1000, timeout: 1000 }) });
    const uids = Array.from({ length: records.count }, (_, index) => written(records, index));
    expect(uids).toEqual(uids.map((_, index) => uidOf(records, index)));
    return uids;
  };
  const uids = uidsFrom(0);
  expect(new Set(uids).size).toBe(4);
  // After a restart, too, wherever that begins.
  expect(uidsFrom(first.length)).toEqual(uids.slice(1));
});
