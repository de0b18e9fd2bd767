// What holds for every encoding.

import { decodeEntries } from '@fluent-org/logger/build/src/protocol.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../src/byte-writer.ts';
import { Encoder } from '../../src/encode.ts';
import { json } from '../../src/encoding/json.ts';
import { line } from '../../src/encoding/line.ts';
import { msgpack } from '../../src/encoding/msgpack.ts';
import { frame } from '../../src/frame.ts';
import { parse } from '../../src/parse.ts';
import { json as jsonParser } from '../../src/parser/json.ts';
import { batchesOf, chunkOf, recordsOf } from '../chunk.ts';

const encodings = { line, json, msgpack };

/** How a receiver reads a batch: one item per record. */
const decoders: Record<keyof typeof encodings, (bytes: Buffer) => unknown[]> = {
  line: (bytes) => bytes.toString('latin1').split('\n').slice(0, -1),
  json: (bytes) =>
    bytes
      .toString()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
  msgpack: (bytes) => decodeEntries(bytes).map(([, record]) => record),
};

for (const name of Object.keys(encodings) as (keyof typeof encodings)[]) {
  const encoding = encodings[name];
  const decode = decoders[name];
  const encoded = (content: string | Buffer, limit = 1 << 20) => {
    const chunk = chunkOf(content);
    return { chunk, batches: batchesOf(new Encoder(encoding, { bytes: limit }), frame(chunk, { limit: 1 << 20 })) };
  };
  const encodedJson = (content: string, { seen, common = {} }: { seen: boolean; common?: object }) => {
    const records = frame(chunkOf(content), { limit: 1 << 20 });
    parse(records, jsonParser.open({}), seen);
    records.common = { ...common };
    return batchesOf(new Encoder(encoding, { bytes: 1 << 20 }), records).flatMap(({ bytes }) => decode(bytes));
  };

  describe(name, () => {
    test('gives one item per line, in order', () => {
      const { batches } = encoded('one\n\nthree\n');
      expect(batches.map(({ records }) => records)).toEqual([3]);
      expect(decode(batches[0]!.bytes)).toMatchObject(
        name === 'line' ? ['one', '', 'three'] : [{ log: 'one' }, { log: '' }, { log: 'three' }],
      );
    });

    test('never gives a batch above the limit but for a record that is so by itself', () => {
      const { batches } = encoded(`${'x'.repeat(20)}\n`.repeat(100).concat(`${'y'.repeat(900)}\nz\n`), 300);
      expect(batches.reduce((sum, { records }) => sum + records, 0)).toBe(102);
      for (const { bytes, records } of batches) expect(records === 1 || bytes.length <= 300).toBe(true);
    });

    test('acknowledges each batch up to the end of its last line, and lets the chunk go with the last', () => {
      const { chunk, batches } = encoded('aaaa\nbbbb\ncccc\nunfinished', 1);
      const reached = batches.map((batch) => {
        batch.acknowledge();
        return [chunk.acknowledged, chunk.released];
      });
      expect(reached).toEqual([
        [5, 0],
        [10, 0],
        [15, 1],
      ]);
      expect(batches.map(({ source }) => source)).toEqual([5, 5, 5]);
    });

    test('gives nothing where there is no line', () => {
      expect(encoded('').batches).toEqual([]);
      expect(encoded('unfinished').batches).toEqual([]);
    });

    test('survives every byte', () => {
      const bytes = Buffer.from([...Array(256).keys()].filter((byte) => byte !== 0x0a));
      const { batches } = encoded(Buffer.concat([bytes, Buffer.from('\nclean\n')]));
      const [first, second] = decode(batches[0]!.bytes);
      if (name === 'line') expect(Buffer.from(String(first), 'latin1')).toEqual(bytes);
      else expect(first).toEqual({ log: bytes.toString('utf8') });
      expect(second).toEqual(name === 'line' ? 'clean' : { log: 'clean' });
    });

    test('holds whatever JSON holds', () => {
      if (name === 'line') return;
      const object = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true });
      fc.assert(
        fc.property(object, (fields) => {
          // The decoder that stands for a receiver here refuses this key.
          fc.pre(!JSON.stringify(fields).includes('"__proto__"'));
          const into = new ByteWriter(16);
          const records = recordsOf(['{}']);
          records.fields = [fields];
          encoding(records)(0, into);
          const [record] = decode(into.written);
          expect(JSON.parse(JSON.stringify(record))).toEqual(JSON.parse(JSON.stringify(fields)));
        }),
        { numRuns: 200, verbose: 1 },
      );
    });

    test('gives a record that is nested too deeply for it as the line that it was, with the reason', () => {
      const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`;
      const [first, second] = encodedJson(`${deep}\n{"b":2}\n`, { seen: true });
      expect(name === 'line' ? second : JSON.stringify(second)).toBe('{"b":2}');
      // Compared as text: comparing would go too deep itself.
      if (name === 'msgpack') expect(first).toEqual({ log: deep, parse_error: 'Nested more than 100 deep' });
      else expect(name === 'line' ? first : JSON.stringify(first)).toBe(deep);
    });

    test.each([true, false])('what was asked for wins over what was found, with fields seen: %s', (seen) => {
      if (name === 'line') return;
      const items = encodedJson('{"env":"app","a":1}\nplain\n', { seen, common: { env: 'prod' } });
      expect(items).toEqual([
        { a: 1, env: 'prod' },
        { log: 'plain', env: 'prod', parse_error: expect.any(String) },
      ]);
    });
  });
}
