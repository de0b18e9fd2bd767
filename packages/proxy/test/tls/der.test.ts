import { describe, expect, test } from 'vitest';
import { elementsOf, nameKey, onlyElement, readableName, textOf, timeOf } from '../../src/tls/der.ts';
import { der } from './make.ts';

const octets = (...bytes: number[]) => Buffer.from(bytes);

describe('what is no DER throws', () => {
  test.each([
    ['nothing', octets()],
    ['a tag alone', octets(0x30)],
    ['a tag of many octets', octets(0x1f, 0x01, 0x00)],
    ['no length', octets(0x30, 0x80, 0x00, 0x00)],
    ['a length that is cut off', octets(0x30, 0x82, 0x01)],
    ['a length of eight octets', octets(0x30, 0x88, 0, 0, 0, 0, 0, 0, 0, 0)],
    ['less than the length says', octets(0x30, 0x02, 0x05)],
    ['more than the length says', octets(0x05, 0x00, 0x05, 0x00)],
  ])('%s', (_, buffer) => {
    expect(() => onlyElement(buffer)).toThrow(/^DER /);
  });

  test('an element within that is cut off', () => {
    expect(() => elementsOf({ content: octets(0x05, 0x00, 0x04, 0x03, 0x01) })).toThrow('DER is cut off');
  });

  test.each([0x0c, 0x17, 0x18])('a time that is none, tag %i', (tag) => {
    for (const text of ['', '20260101000000', '261301', '2026010100000Z', '260101000000+0100'])
      expect(() => timeOf(onlyElement(der(tag, Buffer.from(text))))).toThrow('DER has a time that cannot be read');
  });
});

test.each([
  [0x17, '491231235959Z', '2049-12-31T23:59:59.000Z'],
  [0x17, '500101000000Z', '1950-01-01T00:00:00.000Z'],
  [0x18, '20500102030405Z', '2050-01-02T03:04:05.000Z'],
])('a time of tag %i written %s is %s', (tag, text, iso) => {
  expect(timeOf(onlyElement(der(tag, Buffer.from(text)))).toISOString()).toBe(iso);
});

test.each([300, 70_000])('%i octets keep their length', (length) => {
  const element = onlyElement(der(0x04, Buffer.alloc(length, 1)));
  expect([element.content.length, element.whole.length - length]).toEqual([length, length > 65_535 ? 5 : 4]);
});

const nameWith = (tag: number, value: Buffer) =>
  onlyElement(der(0x30, der(0x31, der(0x30, der(0x06, Buffer.from('550403', 'hex')), der(tag, value)))));

test('names that differ in case, blanks or the type of their strings alone are the same', () => {
  const names = [
    nameWith(0x0c, Buffer.from('Root CA')),
    nameWith(0x13, Buffer.from('root  ca ')),
    nameWith(0x1e, Buffer.from('Root CA', 'utf16le').swap16()),
  ];
  expect(new Set(names.map(nameKey)).size).toBe(1);
  expect(nameKey(nameWith(0x0c, Buffer.from('RootCA')))).not.toBe(nameKey(names[0]!));
  expect(readableName(names[2]!)).toBe('Root CA');
  expect(textOf(onlyElement(der(0x14, octets(0xe4))))).toBe('ä');
});
