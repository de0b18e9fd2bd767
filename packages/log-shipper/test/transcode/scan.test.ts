// The scanner itself: what it keeps from line to line.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Scanner } from '../../src/transcode/scan.ts';
import { tokens } from '../../src/transcode/tape.ts';

function scanned(scanner: Scanner, line: string) {
  // With the next line behind it, as in a chunk.
  const bytes = Buffer.from(`${line}\n{"next":1}\n`);
  scanner.read(bytes);
  return scanner.scan(0, bytes.indexOf('\n'));
}

test('the room for a huge line is given back with the next', () => {
  const scanner = new Scanner();
  const usual = scanner.tape.length;
  expect(scanned(scanner, `{"a":[${'1,'.repeat(200_000)}1]}`)).toBe('object');
  expect(scanner.tape.length).toBeGreaterThan(600_000);
  expect(scanned(scanner, '{"a":1}')).toBe('object');
  expect(scanner.tape.length).toBe(usual);
});

test('keys of one line, or of one object in it, are not those of another', () => {
  const scanner = new Scanner();
  const line = '{"a":{"a":1,"b":{"a":1}},"b":[{"a":1},{"a":1}]}';
  for (let time = 0; time < 3000; time++) expect(scanned(scanner, line)).toBe('object');
  expect(scanned(scanner, '{"a":{"b":1,"b":1}}')).toBe('unsure');
});

/** Keys and texts of a line, as the tape has them. */
function textsOf({ tape, length, bytes }: Scanner): string[] {
  const found: string[] = [];
  for (let t = tokens.width; t < length; t += tokens.width)
    if (tape[t] === tokens.text) found.push(bytes.toString('utf8', tape[t + 1], tape[t + 2]));
  return found;
}

test('the keys of the lines before change nothing about what is found, and none is there twice unseen', () => {
  // Few, so that they come again; of all lengths about a word; and some that are too long to be kept.
  const name = fc.constantFrom(
    '',
    'a',
    'b',
    'abc',
    'abd',
    'abcd',
    'abce',
    'abcde',
    'abcdefg',
    'abcdefgh',
    'é',
    ...[700, 1500, 2100].map((length) => 'k'.repeat(length)),
  );
  const numbered = fc.nat(80).map((count) => Array.from({ length: count }, (_, at) => `n${at}`));
  const names = fc.oneof(
    { weight: 8, arbitrary: fc.array(name, { maxLength: 6 }) },
    fc.tuple(numbered, fc.array(name, { maxLength: 3 })).map((both) => both.flat()),
  );
  const member = (value: fc.Arbitrary<string>) => fc.tuple(fc.constantFrom('', '', ' ', '\t'), value);
  const value = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('1', '"a"', '"abcd"') },
    fc.array(name, { maxLength: 3 }),
  );
  const line = names.chain((each) =>
    fc.tuple(
      fc.constant(each),
      fc.array(member(value as fc.Arbitrary<string>), { minLength: each.length, maxLength: each.length }),
    ),
  );
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 12 }), (lines) => {
      const scanner = new Scanner({ watch: ['abc'] });
      for (const [keys, members] of lines) {
        const written = members.map(([space, inner], at) => ({
          key: keys[at]!,
          space,
          inner: inner as string | string[],
        }));
        const text = `{${written.map(({ key, space, inner }) => `"${key}"${space}:${typeof inner === 'string' ? inner : `{${inner.map((each) => `"${each}":2`).join()}}`}`).join()}}`;
        const twice = [keys, ...written.map(({ inner }) => (typeof inner === 'string' ? [] : inner))].some(
          (some) => new Set(some).size < some.length,
        );
        // So often that these are the keys that are expected next.
        for (let time = 0; time < 18; time++)
          expect([text, scanned(scanner, text)]).toEqual([text, twice ? 'unsure' : 'object']);
        if (twice) continue;
        const texts = written.flatMap(({ key, inner }) => [
          key,
          ...(typeof inner !== 'string' ? inner : inner === '1' ? [] : [inner.slice(1, -1)]),
        ]);
        expect(textsOf(scanner)).toEqual(texts);
        expect(scanner.watched[0] !== -1).toBe(keys.includes('abc'));
      }
    }),
    { numRuns: 300, verbose: 1 },
  );
});

test('values of the watched keys are where they lie, those of the object itself alone, the last of all lines', () => {
  const scanner = new Scanner({ omit: ['time'], watch: ['time', 'level'] });
  const watchedText = (which: number) =>
    scanner.watched[2 * which] === -1
      ? undefined
      : scanner.bytes.toString('utf8', scanner.watched[2 * which], scanner.watched[2 * which + 1]);
  scanned(scanner, '{"level":{"level":3} ,"x":{"time":2},"time": "now" }');
  expect([watchedText(0), watchedText(1)]).toEqual(['"now"', '{"level":3}']);
  expect([scanner.tape[1], scanner.omissions]).toEqual([2, 2]);
  scanned(scanner, '{"x":{"time":2}}');
  expect([watchedText(0), watchedText(1), scanner.omissions]).toEqual([undefined, undefined, 0]);
});

test('says where a line stops making sense', () => {
  const scanner = new Scanner();
  const offsetOf = (line: string) => [scanned(scanner, line), scanner.offset];
  expect(offsetOf('{"a":1,}')).toEqual(['wrong', 7]);
  expect(offsetOf('{"a":1} x')).toEqual(['wrong', 8]);
  expect(offsetOf('{"a":tru}')).toEqual(['wrong', 5]);
  expect(offsetOf('{"a":"b')).toEqual(['wrong', 7]);
  expect(offsetOf(' [1]')).toEqual(['not an object', 1]);
});
