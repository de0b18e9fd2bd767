import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode, type Encoding, encodedLength, encodingOf, markLength } from '../../src/tail/encodings.ts';

const encode: Record<Encoding, (text: string) => Buffer> = {
  'utf-8': (text) => Buffer.from(text),
  latin1: (text) => Buffer.from(text, 'latin1'),
  'utf-16le': (text) => Buffer.from(text, 'utf16le'),
  'utf-16be': (text) => Buffer.from(text, 'utf16le').swap16(),
};

const names = Object.keys(encode) as Encoding[];
// Lone surrogates too: a file holds whatever it holds.
const texts = fc.array(fc.oneof(fc.constantFrom(0x0a, 0x41, 0xe9, 0x20ac, 0x1f600, 0xd800, 0xdc00), fc.nat(0xffff)), {
  maxLength: 60,
});

test.each(names)('every prefix of decoded %s stands for as many bytes as it was made of', (encoding) => {
  const check = (codes: number[]) => {
    const text = String.fromCodePoint(...codes.map((code) => (encoding === 'latin1' ? code & 0xff : code)));
    const bytes = encode[encoding](text);
    const decoded = decode(bytes, encoding);
    for (let length = 0; length <= decoded.length; length++) {
      // Between two characters: nobody cuts elsewhere.
      if (length < decoded.length && (decoded[length]! & 0xc0) === 0x80) continue;
      const encoded = encodedLength(decoded, length, encoding);
      // Whoever goes on from there reads what is missing.
      expect(decode(bytes.subarray(encoded), encoding).equals(decoded.subarray(length))).toBe(true);
    }
  };
  fc.assert(fc.property(texts, check), { numRuns: 500, verbose: 1 });
});

test('half a character at the end waits for its other half', () => {
  const bytes = Buffer.from('a\u{1f600}', 'utf16le');
  for (const length of [3, 4, 5]) expect(String(decode(bytes.subarray(0, length), 'utf-16le'))).toBe('a');
  expect(String(decode(bytes, 'utf-16le'))).toBe('a\u{1f600}');
});

test('the mark at the beginning says what it is, unless it was said', () => {
  const le = Buffer.from([0xff, 0xfe, 0x41, 0]);
  expect([encodingOf(le, 'auto'), markLength(le, 'auto')]).toEqual(['utf-16le', 2]);
  expect([encodingOf(le, 'latin1'), markLength(le, 'latin1')]).toEqual(['latin1', 0]);
  const utf8 = Buffer.from('\ufeffline');
  expect([encodingOf(utf8, 'auto'), markLength(utf8, 'auto')]).toEqual(['utf-8', 3]);
  expect([encodingOf(Buffer.from('line'), 'auto'), markLength(Buffer.from('line'), 'auto')]).toEqual(['utf-8', 0]);
});
