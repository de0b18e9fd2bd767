// What becomes of one line when it goes to MessagePack on bytes, and when it goes by way of its fields.

import { ByteWriter } from '../../src/byte-writer.ts';
import { type Encoding, writeOrExcuse } from '../../src/encoding/encoding.ts';
import { Numbers } from '../../src/numbers.ts';
import { type Fields, Records } from '../../src/records.ts';
import { chunkOf } from '../chunk.ts';

export type Way = 'bytes' | 'fields';

/** Lines as they are, whatever is in them, with bytes before and behind that belong to none. */
export function recordsIn(lines: readonly (string | Buffer)[], way: Way, common: Fields = {}): Records {
  const spans: number[] = [];
  const parts: Buffer[] = [Buffer.from('"}')];
  let at = 2;
  for (const line of lines) {
    const bytes = Buffer.from(line as string);
    spans.push(at, at + bytes.length);
    parts.push(bytes, Buffer.from('\n'));
    at += bytes.length + 1;
  }
  const records = new Records({ chunk: chunkOf(Buffer.concat(parts)), spans, length: at });
  records.format = 'json';
  records.common = common;
  if (way === 'fields') records.materialise();
  return records;
}

/** The bytes of each record, as the encoder has them written: by runs where there are any. */
export function written(encoding: Encoding, records: Records, taken?: Set<number>): Buffer[] {
  const write = encoding(records);
  const found: Buffer[] = [];
  while (found.length < records.count) {
    // Small, so that it has to grow in the midst of a record.
    const into = new ByteWriter(1);
    const offsets = new Numbers();
    const index = found.length;
    const count = write.run?.(index, { into, offsets, room: 0x100000, most: 0x100000 }) ?? 0;
    if (count === 0) writeOrExcuse(records, write, { index, into });
    const places = count === 0 ? [0] : [...offsets.values];
    for (const [at, place] of places.entries()) {
      if (count > 0) taken?.add(index + at);
      found.push(Buffer.from(into.written.subarray(place, places[at + 1])));
    }
  }
  return found;
}
