// A string stays a string, whoever reads it: YAML 1.1 with all its types, as the API server does, 1.2, and JSON's.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DocumentOptions, type ParseOptions, parse, type SchemaOptions } from 'yaml';
import { jsonText, scalarText } from '../../../src/compose/edit/scalar.ts';
import { yamlOptions } from '../../../src/manifest/source.ts';

const readers: readonly (DocumentOptions & ParseOptions & SchemaOptions)[] = [
  { version: '1.1' },
  { version: '1.2' },
  { schema: 'failsafe' },
  yamlOptions,
];

function expectSame(text: string): void {
  for (const quote of ["'", '"'] as const) {
    const [block, flow] = [false, true].map((flow) => scalarText(text, { flow, quote }));
    const written = `- ${block}\n- k: ${block}\n- [${flow}, { k: ${flow} }]\n- { "k": ${jsonText(text)} }\n`;
    for (const options of readers)
      expect(parse(written, options)).toEqual([text, { k: text }, [text, { k: text }], { k: text }]);
  }
}

const plain = [
  'a',
  '10m',
  '64Mi',
  '127.0.0.1',
  '0.1.0',
  '--a=b',
  '-x',
  'a:b',
  'http://127.0.0.1:8080/',
  'a#b',
  'a b',
  "it's",
  'é─',
  '/logs/*.log*',
  'outrigger/proxy:0.1.0',
  '1s',
  'x=y',
  'sha256:0a',
  'Always',
  'a@b',
];

const quoted = [
  '',
  'on',
  'Off',
  'yes',
  'NO',
  'y',
  'n',
  'true',
  'null',
  'Null',
  '~',
  '0644',
  '0o17',
  '0x1F',
  '0b1',
  '1e3',
  '1E5',
  '1.5',
  '.5',
  '1.',
  '+1',
  '-1',
  '1_000',
  '.',
  '.inf',
  '-.INF',
  '.nan',
  '1:30',
  '190:20:30.15',
  '2001-12-14',
  '2001-12-14t21:59:43.10-05:00',
  '2001-12-14 21:59:43',
  ' a',
  'a ',
  'a: b',
  'a:',
  'a #b',
  '#a',
  '- a',
  '-',
  '--- a',
  '? a',
  ': a',
  '*a',
  '&a',
  '!a',
  '|',
  '>',
  "'a'",
  '"a"',
  '%a',
  '@a',
  '`a`',
  '{a}',
  '[a]',
  ',a',
  '<<',
  '=',
  'a\nb',
  'a\tb',
  '\u2028',
  '\u0085',
  '\uFEFF',
  '\0',
  '\uD800',
  '\x7f',
];

test.for(plain)('%j needs no quotes', (text) => {
  expect(scalarText(text, { flow: false, quote: '"' })).toBe(text);
  expectSame(text);
});

test.for(quoted)('%j needs quotes', (text) => {
  expect(scalarText(text, { flow: false, quote: '"' })).toMatch(/^(".*"|'.*')$/);
  expectSame(text);
});

test.for(['a,b', 'a[0]', '{{x}}', 'a?b'])('%j needs quotes between brackets only', (text) => {
  expect(scalarText(text, { flow: true, quote: '"' })).toMatch(/^(".*"|'.*')$/);
  expectSame(text);
});

test('what holds backslashes or double quotes is in single quotes, where it can be', () => {
  const style = { flow: false, quote: '"' } as const;
  expect(scalarText('{"a":"b\\n"}', style)).toBe(`'{"a":"b\\n"}'`);
  expect(scalarText(`{"it's"}`, style)).toBe(`"{\\"it's\\"}"`);
  expect(scalarText('8080', { ...style, quote: "'" })).toBe(`'8080'`);
});

test('any string', () => {
  const pieces = fc.constantFrom(...plain, ...quoted, ':', '#', ' ', '-', '\r\n', '_', '0', '.', 'e', '\\');
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(pieces, { maxLength: 4 }).map((parts) => parts.join('')),
  );
  fc.assert(fc.property(text, expectSame), { numRuns: 120, seed: Date.now() % 2 ** 31 });
});
