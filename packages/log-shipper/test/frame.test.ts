import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frame } from '../src/frame.ts';
import { chunkOf, linesIn, partialIn } from './chunk.ts';

const framed = (content: string, limit: number, unfinished?: 'held' | 'line' | 'part', stripReturn = false) => {
  const chunk = chunkOf(content, { ...(unfinished && { unfinished }) });
  const lines = frame(chunk, { limit, stripReturn });
  return { lines: linesIn(lines).map(String), partial: partialIn(lines), taken: chunk.taken };
};

test('a line without its newline is held, or given as whole or as a part', () => {
  expect(framed('one\n\ntwo\nthr', 100)).toEqual({ lines: ['one', '', 'two'], partial: [], taken: 9 });
  expect(framed('one\nthr', 100, 'line')).toEqual({ lines: ['one', 'thr'], partial: [], taken: 7 });
  expect(framed('one\nthr', 100, 'part')).toEqual({ lines: ['one', 'thr'], partial: [1], taken: 7 });
});

test('a line longer than the limit comes in pieces, all but the last marked, and the next line is intact', () => {
  expect(framed('aaaaaaaabbbb\nnext\n', 8)).toEqual({ lines: ['aaaaaaaa', 'bbbb', 'next'], partial: [0], taken: 18 });
  expect(framed('aaaaaaaa\n', 8)).toEqual({ lines: ['aaaaaaaa'], partial: [], taken: 9 });
});

test('the beginning of a line that is too long already is given before its end is there', () => {
  expect(framed('aaaaaaaab', 8)).toEqual({ lines: ['aaaaaaaa'], partial: [0], taken: 8 });
});

test('a piece ends between two characters', () => {
  expect(framed('aaaaaaa\u20acb\n', 8)).toEqual({ lines: ['aaaaaaa', '\u20acb'], partial: [0], taken: 12 });
  expect(framed('\u{1f600}\u{1f600}\u{1f600}\n', 7).lines).toEqual(['\u{1f600}', '\u{1f600}', '\u{1f600}']);
});

test('a carriage return belongs to the end of a line where that is asked for, and to none of its pieces', () => {
  const mixed = 'one\r\n\r\ntwo\nth\rree\r\r\n';
  expect(framed(mixed, 100)).toMatchObject({ lines: ['one\r', '\r', 'two', 'th\rree\r\r'], taken: mixed.length });
  expect(framed(mixed, 100, 'held', true)).toEqual({
    lines: ['one', '', 'two', 'th\rree\r'],
    partial: [],
    taken: mixed.length,
  });
  expect(framed('aaaaaaa\rb\r\n', 8, 'held', true)).toMatchObject({ lines: ['aaaaaaa\r', 'b'], partial: [0] });
  expect(framed('aaaaaaaa\r\n', 8, 'held', true)).toMatchObject({ lines: ['aaaaaaaa', ''], partial: [0] });
  expect(framed('one\r', 8, 'part', true)).toMatchObject({ lines: ['one\r'], partial: [0] });
});

/** Frames a file as it grows, never looking at more of it than a buffer holds. */
function frameGrowing(content: Buffer, steps: readonly number[], limit: number) {
  const found: { line: string; partial: boolean }[] = [];
  let from = 0;
  const look = (size: number, last: boolean) => {
    for (;;) {
      const end = Math.min(size, from + limit + 1);
      const chunk = chunkOf(content.subarray(from, end), {
        unfinished: last && end === content.length ? 'line' : 'held',
      });
      const lines = frame(chunk, { limit });
      linesIn(lines).forEach((line, index) => {
        found.push({ line: line.toString('latin1'), partial: lines.own.has(index) });
      });
      from += chunk.taken;
      if (chunk.taken === 0 || from === size) return;
    }
  };
  for (const step of [...steps].sort((a, b) => a - b)) look(Math.min(step, content.length), false);
  look(content.length, true);
  return found;
}

// A run that fails prints its seed and the smallest counterexample.
test('however a file grows, its lines are the same, and no byte is lost', () => {
  const byte = fc.oneof(
    fc.constantFrom(0x0a, 0x61, 0xe2, 0x82, 0xac, 0x00, 0x0d, 0xff),
    fc.integer({ min: 0, max: 255 }),
  );
  const content = fc.array(byte, { maxLength: 400 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(
      content,
      fc.array(fc.nat(400), { maxLength: 20 }),
      fc.integer({ min: 4, max: 40 }),
      (bytes, steps, limit) => {
        const grown = frameGrowing(bytes, steps, limit);
        const whole = frame(chunkOf(bytes, { unfinished: 'line' }), { limit });
        const expected = linesIn(whole).map((line, index) => ({
          line: line.toString('latin1'),
          partial: whole.own.has(index),
        }));
        expect(grown).toEqual(expected);
        const text = grown.map(({ line, partial }) => (partial ? line : `${line}\n`)).join('');
        const written = bytes.toString('latin1');
        expect(text).toBe(written === '' || written.endsWith('\n') ? written : `${written}\n`);
        for (const { line } of grown) expect(line.length).toBeLessThanOrEqual(limit);
      },
    ),
    { numRuns: 2000, verbose: 1 },
  );
});

test('of many lines at once each is what it is alone, however long they are and wherever they lie', () => {
  // Sixteen and sixty-four bytes are looked at together; a call takes 64 KiB and some two thousand lines.
  const lengths = fc.oneof(fc.nat(3), fc.nat(200), fc.constantFrom(14, 15, 16, 62, 63, 64, 65, 1000, 66_000));
  const some = fc.oneof(
    fc.array(lengths, { minLength: 8, maxLength: 40 }),
    fc
      .tuple(fc.constantFrom(1983, 1984, 1985, 2048, 5000), fc.nat(40))
      .map(([count, length]) => Array(count).fill(length)),
  );
  const limits = fc.constantFrom(64, 1000, 0x100000);
  fc.assert(
    fc.property(some, limits, fc.nat(100), (all: number[], limit, open) => {
      const lines = [...all, ...(open > 0 ? [open] : [])].map((length, at) => String(at % 10).repeat(length));
      const content = lines.map((line) => `${line}\n`).join('');
      const bytes = open > 0 ? content.slice(0, -1) : content;
      // What lies behind is no part of it.
      const within = Buffer.from(`${bytes}\n\n`).subarray(0, bytes.length);
      const found = frame(chunkOf(within, { bytes: within, unfinished: 'line' }), { limit });
      const pieces = lines.flatMap((line) => line.match(new RegExp(`.{1,${limit}}`, 'g')) ?? ['']);
      expect(linesIn(found).map(String)).toEqual(pieces);
      expect(found.pieces).toBe(pieces.length - lines.length);
    }),
    { numRuns: 100, verbose: 1 },
  );
});
