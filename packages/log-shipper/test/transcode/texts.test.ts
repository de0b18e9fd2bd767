// Lines that are their own record: what the kernel makes of them is, byte for byte, what JavaScript makes of them.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Encoder } from '../../src/encode.ts';
import { msgpack, msgpackByLine } from '../../src/encoding/msgpack.ts';
import type { Fields, Records } from '../../src/records.ts';
import { recordsIn, written } from './written.ts';

const runs = { numRuns: Number(process.env.FUZZ_RUNS ?? 300), verbose: 1 } as const;

type Given = { readonly common?: Fields; change?(records: Records): void };

function textsIn(lines: readonly (string | Buffer)[], { common, change }: Given): Records {
  const records = recordsIn(lines, 'bytes', common);
  Object.assign(records, { format: 'text', readAt: 1_700_000_000_123 });
  change?.(records);
  return records;
}

/** Returns which of them were the kernel's. */
function compare(lines: readonly (string | Buffer)[], given: Given = {}): boolean[] {
  const indices = new Set<number>();
  const [one, other] = [textsIn(lines, given), textsIn(lines, given)];
  const texts = (all: Buffer[]) => all.map((each) => each.toString('latin1'));
  expect(texts(written(msgpack, one, indices))).toEqual(texts(written(msgpackByLine, other)));
  expect(one.repaired).toBe(other.repaired);
  return lines.map((_, index) => indices.has(index));
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.nat(700).map((length) => 'x'.repeat(length)),
  fc.nat(80).map((length) => 'é'.repeat(length)),
);
const common = fc.constantFrom<Fields>(
  ...[{}, { env: 'prod' }, { log: 'hides the line' }, { all: 'x'.repeat(300), n: 1.5 }],
);

describe('what the kernel makes of lines is what JavaScript makes of them', () => {
  test('whatever is in them, and beside them', () => {
    const times = fc.tuple(fc.nat(4), fc.integer({ min: -5, max: 2 ** 33 }), fc.nat(999_999_999));
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 8 }),
        common,
        fc.option(times, { nil: undefined }),
        fc.option(fc.nat(7), { nil: undefined }),
        fc.option(fc.tuple(fc.nat(7), text), { nil: undefined }),
        (lines, added, time, own, changed) => {
          compare(lines, {
            common: added,
            change(records) {
              if (time && time[0] < lines.length) records.setTime(time[0], { seconds: time[1], nanos: time[2] });
              if (own !== undefined && own < lines.length) records.own.set(own, { partial: true });
              if (changed) records.replaced = new Map([[changed[0], Buffer.from(changed[1])]]);
            },
          });
        },
      ),
      runs,
    );
  });

  test('bytes that are no UTF-8', () => {
    const bytes = fc.uint8Array({ maxLength: 20 }).map((each) => Buffer.from(each));
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 1, maxLength: 4 }), (lines) => void compare(lines)),
      runs,
    );
  });
});

test('lines are the kernel’s, so that nothing here compares JavaScript with itself', () => {
  const lines = Array.from({ length: 5000 }, (_, at) => 'x'.repeat(at % 300));
  expect(compare(lines).filter((each) => !each)).toEqual([]);
  const own = (records: Records) => {
    records.own.set(1, { partial: true });
    records.replaced = new Map([[3, Buffer.from('other')]]);
  };
  expect(compare(['a', 'b', 'c', 'd', 'e'], { change: own })).toEqual([true, false, true, false, true]);
  expect(compare(['a'], { common: { all: 'x'.repeat(5000) } })).toEqual([false]);
  expect(compare(['a'], { common: { log: 1 } })).toEqual([false]);
});

describe('at the borders', () => {
  test('of headers, and of what there is room for', () => {
    const lengths = [0, 1, 15, 16, 17, 31, 32, 255, 256, 65_534, 65_535, 65_536, 65_537, 200_000];
    const all = compare(lengths.flatMap((length) => ['', 'x'.repeat(length), 'y'.repeat(15)]));
    expect(all.map((each, at) => (each ? undefined : at)).filter((at) => at !== undefined)).toEqual([34, 37, 40]);
    for (const length of [3000, 4050, 4060, 4070, 4080, 4096])
      compare(['a', ''], { common: { c: 'x'.repeat(length) } });
    // More than the kernel has room for in a call.
    compare(
      Array.from({ length: 2047 }, () => 'z'.repeat(15)),
      { common: { c: 'x'.repeat(3900) } },
    );
  });

  test.each([2047, 2048, 2049, 4096])('of a block of %i lines', (count) => {
    compare(Array.from({ length: count }, () => ''));
    compare(Array.from({ length: count }, () => 'x'.repeat(31)));
    compare(Array.from({ length: count }, () => 'x'.repeat(33)));
  });

  test('of lines that lie in another order than they are in', () => {
    const reversed = (records: Records) => {
      const pairs = Array.from({ length: records.count }, (_, at) => records.spans.slice(2 * at, 2 * at + 2));
      Object.assign(records, { spans: pairs.toReversed().flatMap((pair) => [...pair]) });
    };
    compare(['one', 'two', '', 'three'], { change: reversed });
  });
});

test('batches are the same, and end where they do, whatever their limits are', () => {
  const limits = fc.record({ bytes: fc.integer({ min: 1, max: 3000 }), records: fc.integer({ min: 1, max: 50 }) });
  const lines = fc.array(text, { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(
      lines,
      limits,
      common,
      fc.constantFrom('text' as const, 'json' as const),
      (each, limit, added, format) => {
        const [one, other] = [msgpack, msgpackByLine].map((encoding) => {
          const encoder = new Encoder(encoding, limit);
          const give = format === 'json' ? each.map((line) => JSON.stringify({ line })) : each;
          const batches = [...encoder.encode(Object.assign(textsIn(give, { common: added }), { format }))];
          const rest = encoder.flush();
          return [...batches, ...(rest ? [rest] : [])].map(({ bytes, offsets }) => [
            bytes.toString('latin1'),
            ...offsets,
          ]);
        });
        expect(one).toEqual(other);
      },
    ),
    runs,
  );
});
