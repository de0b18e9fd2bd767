import { expect, test } from 'vitest';
import { type Format, read } from '../src/format.ts';

test.each<[Format, string, number | undefined]>([
  ['number', '0', 0],
  ['number', '-0.5', -0.5],
  ['number', '5.', 5],
  ['number', '1e3', 1000],
  ['number', '', undefined],
  ['number', '.', undefined],
  ['number', '1 2', undefined],
  ['number', '١٢', undefined],
  ['number', 'Infinity', undefined],
  ['percent', '12 %', 0.12],
  ['percent', '7%', 0.07],
  ['percent', '12', undefined],
  ['percent', '%', undefined],
  ['boolean', 'TRUE', 1],
  ['boolean', 'Enabled', 1],
  ['boolean', 'off', 0],
  ['boolean', 'maybe', undefined],
  ['boolean', '', undefined],
  ['duration', '1h30m', 5400],
  ['duration', '1 hour, 30 minutes', 5400],
  ['duration', '500us', 0.0005],
  ['duration', '3 µs', 0.000003],
  ['duration', '00:01:30', 90],
  ['duration', '2:03:04:05', 183_845],
  ['duration', 'P1DT1S', 86_401],
  ['duration', 'P', undefined],
  ['duration', 'PT', undefined],
  ['duration', '1h 30', undefined],
  ['duration', '1 parsec', undefined],
  ['duration', '0:61:00', undefined],
  ['size', '10 KiB', 10_240],
  ['size', '1.5MB', 1_500_000],
  ['size', '12', undefined],
  ['timestamp', '1970-01-01T00:00:10Z', 10],
  ['timestamp', '1970-01-01 00:00:10.5 +00:00', 10.5],
  ['timestamp', '1970-01-01T01:00:00+0100', 0],
  ['timestamp', '1970-01-01T00:00:10', undefined],
  ['timestamp', '1970-13-01T00:00:10Z', undefined],
  ['timestamp', 'yesterday', undefined],
])('as %s, "%s" is %s', (format, written, value) => {
  expect(read(written, { format, decimal: '.' })).toBe(value);
});

test.each<[string, string, string, number | undefined]>([
  ['1,234', ',', '.', 1234],
  ['-1,234,567.25', ',', '.', -1_234_567.25],
  ['1234.5', ',', '.', 1234.5],
  ['12,34', ',', '.', undefined],
  ['1,234,5', ',', '.', undefined],
  [',123', ',', '.', undefined],
  ['1.5,000', ',', '.', undefined],
  ['1.234,5', '.', ',', 1234.5],
  ['1\u202f234', ' ', ',', 1234],
  ['1_000_000', '_', '.', 1_000_000],
])('with its separators, "%s" (%s and %s) is %s', (written, thousands, decimal, value) => {
  expect(read(written, { format: 'number', thousands, decimal })).toBe(value);
});
