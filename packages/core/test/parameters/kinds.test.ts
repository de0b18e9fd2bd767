import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  address,
  boolean,
  choice,
  duration,
  integer,
  list,
  map,
  type Parameter,
  path,
  program,
  size,
  text,
  url,
} from '../../src/index.ts';

const help = 'Help';
const digits = (most: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${most}}$`));
const number = fc.oneof(
  digits(3),
  fc.tuple(digits(3), digits(6)).map((parts) => parts.join('.')),
  digits(20),
);
const unit = (...units: string[]) => fc.tuple(number, fc.constantFrom(...units)).map((parts) => parts.join(''));
const host = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map((ip) => `[${ip}]`),
  fc.constant(''),
);
const port = fc.nat(70_000).map(String);

/** Each kind with texts that are mostly right. */
const kinds: Readonly<Record<string, readonly [Parameter<unknown>, fc.Arbitrary<string>]>> = {
  text: [text({ help }), fc.string()],
  boolean: [boolean({ help }), fc.constantFrom('true', 'false')],
  integer: [integer({ help }), fc.tuple(fc.constantFrom('', '+', '-'), digits(20)).map((parts) => parts.join(''))],
  duration: [
    duration({ help }),
    fc.array(unit('ms', 's', 'm', 'h', 'd'), { maxLength: 3 }).map((parts) => parts.join('')),
  ],
  size: [size({ help }), unit('', 'B', 'kB', 'KB', 'MB', 'GB', 'TB', 'KiB', 'MiB', 'GiB', 'TiB')],
  address: [address({ help }), fc.tuple(host, port).map((parts) => parts.join(':'))],
  url: [
    url({ help, schemes: ['http', 'https', 'unix', 'tcp'] }),
    fc.oneof(fc.webUrl({ withQueryParameters: true }), fc.constantFrom('unix:/a b', 'tcp://h:1', 'http://é.example')),
  ],
  path: [path({ help }), fc.string()],
  choice: [choice(['a', 'b'], { help }), fc.constantFrom('a', 'b', 'c')],
  program: [program({ help }), fc.string()],
  list: [list(duration, { help }), unit('ms', 's')],
  map: [map(size, { help }), fc.tuple(fc.string(), unit('KiB', 'MB')).map((parts) => parts.join('='))],
};

describe.each(Object.entries(kinds))('%s', (_, [{ parse, format }, written]) => {
  const parsed = (each: string) => {
    try {
      return { value: parse(each) };
    } catch (error) {
      return { error };
    }
  };

  test('what is printed parses to what prints the same', () => {
    fc.assert(
      fc.property(written, (each) => {
        const first = parsed(each);
        if ('error' in first) return;
        const printed = format(first.value);
        const second = parse(printed);
        expect(format(second)).toBe(printed);
        // Addresses are equal when they print the same: each has a function of its own.
        expect(JSON.stringify(second)).toBe(JSON.stringify(first.value));
      }),
      { numRuns: 500 },
    );
  });

  test('whatever is written parses, or throws an Error that says what is expected', () => {
    fc.assert(
      fc.property(fc.oneof(written, fc.string({ unit: 'binary' })), (each) => {
        const outcome = parsed(each);
        if ('error' in outcome) expect((outcome.error as Error).message).toMatch(/expected/);
        else if (typeof outcome.value === 'number') expect(Number.isFinite(outcome.value)).toBe(true);
      }),
    );
  });
});

test.each<[Parameter<unknown>, string, unknown]>([
  [duration({ help }), '0.1s', 100],
  [duration({ help }), '1.5h', 5_400_000],
  [duration({ help }), '1.005s', 1005],
  [duration({ help }), '0.29s', 290],
  [duration({ help }), '0.0005ms', 0.001],
  [integer({ help }), '+5', 5],
  [integer({ help }), '-0', 0],
  [integer({ help }), '0009', 9],
  [size({ help }), '0.1KiB', 102],
])('%# $kind %s', ({ parse }, written, value) => {
  expect(parse(written)).toBe(value);
});

test.each<[Parameter<unknown>, string, string]>([
  [integer({ help }), '1e3', 'a whole number is expected'],
  [integer({ help }), '9007199254740993', 'a whole number of at most 15 digits is expected'],
  [integer({ help, max: 9 }), '9'.repeat(400), 'a whole number of at most 15 digits is expected'],
  [integer({ help, min: 1 }), '0', 'a whole number of at least 1 is expected'],
  [duration({ help }), '9'.repeat(400), 'a duration such as 500ms, 10s or 2m is expected'],
  [duration({ help }), '9999999999999d', 'a duration of at most 100000d is expected'],
  [duration({ help }), '1e3s', 'a duration such as 500ms, 10s or 2m is expected'],
  [duration({ help }), '+1s', 'a duration such as 500ms, 10s or 2m is expected'],
  [size({ help }), '9999999999TiB', 'a size of less than 8192TiB is expected'],
  [size({ help }), '1e3', 'a size such as 512B, 64KiB or 1MiB is expected'],
  [address({ help }), '[1.2.3.4]:80', 'an address such as 127.0.0.1:8080 is expected'],
  [address({ help }), '[::::]:80', 'an address such as 127.0.0.1:8080 is expected'],
])('%# %s', ({ parse }, written, message) => {
  expect(() => parse(written)).toThrow(new Error(message));
});
