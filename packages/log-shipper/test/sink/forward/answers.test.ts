import { encode } from '@fluent-org/logger/build/src/protocol.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Answers } from '../../../src/sink/forward/answers.ts';

const word = fc.string({ unit: 'grapheme', maxLength: 300 });
const scalar = fc.oneof(
  ...[word, fc.boolean(), fc.maxSafeInteger(), fc.integer({ min: -200, max: 300 })],
  ...[fc.double({ noNaN: true }).map((number) => number || 0), fc.uint8Array({ maxLength: 300 }).map(Buffer.from)],
);
const message = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 20 }),
  fc.dictionary(word, scalar, { maxKeys: 20, noNullPrototype: false }),
  fc.tuple(word, fc.record({ nonce: scalar, auth: scalar, keepalive: fc.boolean() })),
);

/** In pieces of these lengths, the last one again and again. */
function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const length = lengths[Math.min(index, lengths.length - 1)]!;
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

test('what the library encodes is read back, in whatever pieces it comes', () => {
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 20 }),
      (messages, lengths) => {
        const answers = new Answers();
        const bytes = Buffer.concat(messages.map((each) => encode(each)));
        const read = cut(bytes, lengths).flatMap((piece) => answers.take(piece));
        expect(plain(read)).toEqual(plain(messages));
      },
    ),
    { numRuns: 500, verbose: true },
  );
});

/** Maps have no prototype here, which makes no difference to what they hold. */
const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain);
  if (Buffer.isBuffer(value) || typeof value !== 'object' || value === null) return value;
  return Object.entries(value).map(([key, each]) => [key, plain(each)]);
};

test('whatever else comes is read as something or refused, and never kept beyond a bound', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 2000 }), { maxLength: 30 }), (pieces) => {
      const answers = new Answers();
      try {
        for (const piece of pieces) expect(answers.take(Buffer.from(piece))).toBeInstanceOf(Array);
      } catch (error) {
        expect((error as Error).message).toBe('the receiver says what is no answer');
      }
    }),
    { numRuns: 500, verbose: true },
  );
});

for (const [what, bytes] of [
  ['a list in a list in a list', Buffer.alloc(100, 0x91)],
  ['a text of 4 GiB', Buffer.of(0xdb, 0xff, 0xff, 0xff, 0xff)],
  ['a list of four thousand million', Buffer.of(0xdd, 0xff, 0xff, 0xff, 0xff)],
  [
    'a map of many pairs that do not come to an end',
    Buffer.concat([Buffer.of(0xde, 0xff, 0xff), Buffer.alloc(70_000)]),
  ],
] as const)
  test(`refuses ${what}`, () => {
    expect(() => new Answers().take(bytes)).toThrow('no answer');
  });
