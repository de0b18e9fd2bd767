import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Body } from '../../src/http/body.ts';
import { Chunked, writeChunkSize } from '../../src/http/chunked.ts';
import { badBodies, goodExtensions } from '../cases/bodies.ts';

/** Data, where the body ended, or why it was refused; given in one piece or cut. */
function decode(octets: Buffer, cuts: readonly number[] = []) {
  const chunked = new Chunked();
  const data: Buffer[] = [];
  const edges = [0, ...[...cuts].sort((a, b) => a - b), octets.length];
  for (let i = 1; i < edges.length; i++) {
    // The buffer is overwritten afterwards, as the one that reads from the application is.
    const arrived = Buffer.from(octets.subarray(edges[i - 1], edges[i]));
    const pieces: number[] = [];
    const at = chunked.read(arrived, 0, arrived.length, pieces);
    for (let p = 0; p < pieces.length; p += 2) data.push(Buffer.from(arrived.subarray(pieces[p], pieces[p + 1])));
    arrived.fill(0);
    if (at < 0) return { refused: chunked.refusal!.reason };
    if (chunked.done) return { data: Buffer.concat(data).toString('latin1'), end: edges[i - 1]! + at };
  }
  return { data: Buffer.concat(data).toString('latin1'), end: undefined };
}

const from = (text: string) => Buffer.from(text, 'latin1');

describe('a chunked body that must not pass', () => {
  test.each(badBodies)('$name: $reason', ({ body, reason }) => {
    expect(decode(from(body))).toEqual({ refused: reason });
  });
});

test.each(goodExtensions)('an extension that must pass: %j', (extension) => {
  const text = `5${extension}\r\nhello\r\n0\r\n\r\n`;
  expect(decode(from(text))).toEqual({ data: 'hello', end: text.length });
});

test('extensions and trailers are read over, and what follows is left alone', () => {
  const text = '5;a=b;c="d"\r\nhello\r\nA\r\n, world!!!\r\n000\r\nHost: b\r\nX: y\r\n\r\n';
  expect(decode(from(`${text}GET /`))).toEqual({ data: 'hello, world!!!', end: text.length });
});

test('a chunked body reads the same however it is cut', () => {
  const chunk = fc.tuple(fc.string({ minLength: 1, maxLength: 40, unit: 'binary-ascii' }), fc.boolean());
  fc.assert(
    fc.property(
      fc.array(chunk, { maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 6 }),
      fc.boolean(),
      (chunks, cuts, trailer) => {
        const framed = chunks.map(
          ([data, extended]) => `${data.length.toString(16)}${extended ? ';x=1' : ''}\r\n${data}\r\n`,
        );
        const octets = from(`${framed.join('')}0\r\n${trailer ? 'X-Sum: 1\r\n' : ''}\r\nNEXT`);
        const expected = { data: chunks.map(([data]) => data).join(''), end: octets.length - 4 };
        expect(
          decode(
            octets,
            cuts.map((cut) => cut % (octets.length + 1)),
          ),
        ).toEqual(expected);
      },
    ),
    { numRuns: 500, verbose: 1 },
  );
});

test('octets that are no chunks never pass for data after a refusal, however they are cut', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(), (octets, cut) => {
      const buffer = Buffer.from(octets);
      const outcome = decode(buffer, [cut % (buffer.length + 1)]);
      expect('refused' in outcome).toBe('refused' in decode(buffer));
    }),
    { numRuns: 1_000, verbose: 1 },
  );
});

test.each([0, 1, 15, 16, 255, 65_535, 2 ** 40 + 1])('a chunk of %i octets is announced in hexadecimal', (size) => {
  const out = Buffer.alloc(32);
  expect(out.toString('latin1', 0, writeChunkSize(out, 0, size))).toBe(`${size.toString(16)}\r\n`);
});

test('a body beyond the limit is refused as soon as it is', () => {
  const body = Body.chunked(8);
  const octets = from('5\r\nhello\r\n5\r\nworld\r\n');
  expect(body.read(octets, 0, 10)).toBe(10);
  expect(body.read(octets, 10, octets.length)).toBe(-1);
  expect(body.refusal?.reason).toBe('body_length');
});
