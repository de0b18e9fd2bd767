import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Body } from '../../src/http/body.ts';
import { Chunked, writeChunkSize } from '../../src/http/chunked.ts';

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
  test.each([
    ['0x before the size', '0x5\r\nhello\r\n0\r\n\r\n'],
    ['a sign', '+5\r\nhello\r\n0\r\n\r\n'],
    ['a space after the size', '5 \r\nhello\r\n0\r\n\r\n'],
    ['a space before the size', ' 5\r\nhello\r\n0\r\n\r\n'],
    ['a tab after the size', '5\t;x\r\nhello\r\n0\r\n\r\n'],
    ['an underscore', '1_0\r\nhello\r\n0\r\n\r\n'],
    ['no size', '\r\nhello\r\n0\r\n\r\n'],
    ['an extension without size', ';x\r\nhello\r\n0\r\n\r\n'],
    ['a negative size', '-1\r\n\r\n'],
    ['a size beyond 2^53', '20000000000005\r\nhello'],
    ['a size beyond 2^64', '10000000000000005\r\nhello'],
    ['LF alone after the size', '5\nhello\r\n0\r\n\r\n'],
    ['CR without LF after the size', '5\rXhello\r\n0\r\n\r\n'],
    ['LF alone after the data', '5\r\nhello\n0\r\n\r\n'],
    ['no end after the data', '5\r\nhello0\r\n\r\n'],
    ['more data than said', '5\r\nhello!\r\n0\r\n\r\n'],
    ['LF alone in an extension', '5;x\nhello\r\n0\r\n\r\n'],
    ['CR in an extension', '5;x\ry\r\nhello\r\n0\r\n\r\n'],
    ['a NUL in an extension', '5;\0\r\nhello\r\n0\r\n\r\n'],
  ])('%s', (_, text) => {
    expect(decode(from(text))).toEqual({ refused: 'chunk' });
  });

  test.each([
    ['field_name', '0\r\nX : y\r\n\r\n'],
    ['folding', '0\r\nX: y\r\n z\r\n\r\n'],
    ['bare_line_feed', '0\r\nX: y\n\r\n'],
    ['bare_carriage_return', '0\r\n\rX'],
    ['chunk_extension', `5;${'x'.repeat(5_000)}\r\nhello\r\n0\r\n\r\n`],
    ['trailer_length', `0\r\nX: ${'y'.repeat(9_000)}\r\n\r\n`],
    ['field_count', `0\r\n${'X: y\r\n'.repeat(101)}\r\n`],
  ])('%s', (reason, text) => {
    expect(decode(from(text))).toEqual({ refused: reason });
  });

  test('small extensions of many chunks add up', () => {
    expect(decode(from('1;xxxxxxxx\r\na\r\n'.repeat(600)))).toEqual({ refused: 'chunk_extension' });
  });
});

test('extensions and trailers are read over, and what follows is left alone', () => {
  const text = '5;a=b;c="d"\r\nhello\r\nA\r\n, world!!!\r\n000\r\nContent-Length: 5\r\nX: y\r\n\r\n';
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
