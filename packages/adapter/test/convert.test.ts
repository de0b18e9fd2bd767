import { expect, test } from 'vitest';
import { type Conversion, convert, Dropped, type Row } from '../src/convert.ts';

const plain: Conversion = { type: 'gauge', format: 'number', decimal: '.', scale: 1, map: {}, ignore: [] };
const outcome = (value: Row['value'], conversion: Partial<Conversion> = {}) => {
  const made = convert({ value, labels: {} }, { ...plain, ...conversion });
  return made instanceof Dropped ? made.reason : made?.value;
};
const label = (text: string) => {
  const made = convert({ value: 1, labels: { text } }, plain);
  return made instanceof Dropped || made === undefined ? made : made.labels.text;
};

test('a scale below one divides, so that no binary dust appears', () => {
  expect(outcome('3', { scale: 0.001 })).toBe(0.003);
  expect(outcome('1005', { scale: 0.001 })).toBe(1.005);
  expect(outcome('3', { scale: 0.1 })).toBe(0.3);
  expect(outcome('3', { scale: -0.1 })).toBe(-0.3);
  expect(outcome('3', { scale: 0.75 })).toBe(2.25);
  expect(outcome('3', { scale: 1024 })).toBe(3072);
});

test('words stand for numbers before the format is tried, and are not scaled', () => {
  expect(outcome(' running ', { map: { running: 2 }, scale: 10 })).toBe(2);
  expect(outcome('5', { map: { running: 2 }, scale: 10 })).toBe(50);
  expect(outcome('toString', { map: {} })).toBe('wrong_format');
  expect(outcome('unlimited', { map: { unlimited: Number.POSITIVE_INFINITY } })).toBe(Number.POSITIVE_INFINITY);
});

test('a counter is never negative nor infinite, a gauge only where the rule says so', () => {
  expect(outcome('-1', { type: 'counter' })).toBe('negative_counter');
  expect(outcome('2', { type: 'counter', scale: -1 })).toBe('negative_counter');
  expect(outcome('all', { type: 'counter', map: { all: Number.POSITIVE_INFINITY } })).toBe('out_of_range');
  expect(outcome('1e308', { scale: 100 })).toBe('out_of_range');
});

test('an ignored word makes no sample and no error', () => {
  expect(outcome(' N/A ', { ignore: ['N/A'] })).toBe(undefined);
  expect(outcome('', { ignore: [''] })).toBe(undefined);
  expect(outcome('', {})).toBe('wrong_format');
});

test('a label is cut at 1023 characters and stays different from its neighbours', () => {
  const [one, two] = [label(`${'x'.repeat(5000)}1`), label(`${'x'.repeat(5000)}2`)];
  expect(one).toHaveLength(1023);
  expect(one).not.toBe(two);
  expect(label('😀'.repeat(1023))).toBe('😀'.repeat(1023));
  expect([...(label('😀'.repeat(1024)) as string)]).toHaveLength(1023);
});

test('a label keeps line feeds and quotes, and loses control characters and lone surrogates', () => {
  expect(label('a\nb"c\\')).toBe('a\nb"c\\');
  expect(label('a\r\u0000\u001b[31m\u0085b')).toBe('a   [31m b');
  expect(label('a\ud800b')).toBe('a\ufffdb');
});
