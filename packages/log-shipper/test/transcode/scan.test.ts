// The scanner itself: what it keeps from line to line.

import { expect, test } from 'vitest';
import { Scanner } from '../../src/transcode/scan.ts';

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
