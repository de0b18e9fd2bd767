import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../src/index.ts';

test.each([
  ['0', 0],
  ['500ms', 500],
  ['10s', 10_000],
  ['2m', 120_000],
  ['1h30m', 5_400_000],
  ['1.5s', 1500],
  ['1d', 86_400_000],
])('%s is %d ms', (written, value) => {
  expect(parseDuration(written)).toBe(value);
});

test.each(['', '10', 's', '-1s', '1 s', '10sec', '1s2', 'Infinity'])('%j is no duration', (written) => {
  expect(() => parseDuration(written)).toThrow('a duration such as');
});

test.each([
  ['512', 512],
  ['512B', 512],
  ['64KiB', 65_536],
  ['1MiB', 1_048_576],
  ['1.5MB', 1_500_000],
  ['1kB', 1000],
])('%s is %d bytes', (written, value) => {
  expect(parseSize(written)).toBe(value);
});

test.each(['', 'KiB', '-1B', '1 MiB', '1mib', '0x10'])('%j is no size', (written) => {
  expect(() => parseSize(written)).toThrow('a size such as');
});

test('what is formatted parses to the same value', () => {
  fc.assert(fc.property(fc.nat(), (value) => parseDuration(formatDuration(value)) === value));
  fc.assert(fc.property(fc.nat(), (value) => parseSize(formatSize(value)) === value));
});
