// Lines of JSON as no serialiser would write them, and lines that are almost JSON.

import fc from 'fast-check';

const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/);

/** A text with escapes where none is needed, in any spelling. */
const text = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.string({ unit: 'binary', maxLength: 12 }).map((value) => JSON.stringify(value).slice(1, -1)),
      },
      { weight: 4, arbitrary: fc.string({ maxLength: 40 }).map((value) => JSON.stringify(value).slice(1, -1)) },
      fc.constantFrom(
        '\\"',
        '\\\\',
        '\\/',
        '\\b',
        '\\f',
        '\\n',
        '\\r',
        '\\t',
        '\\u0000',
        '\\u002F',
        '\\uFfFd',
        '\\u00e9',
      ),
      fc.constantFrom(
        '\\ud83d\\ude00',
        '\\ud800',
        '\\udc00',
        '\\ud800\\ud800',
        '\\udc00\\ud800',
        '\\uD800x',
        '\\uDBFF\\uDFFF',
        '\\uD7FF\\uE000',
        '\\ud800\\n',
      ),
      fc.constantFrom('é', '€', '😀', '\u007f', '\u2028'),
    ),
    { maxLength: 4 },
  )
  .map((parts) => `"${parts.join('')}"`);

const digits = fc.stringMatching(/^[0-9]{1,24}$/);
const whole = digits.map((value) => value.replace(/^0+(?=.)/, ''));
const number = fc
  .tuple(
    fc.constantFrom('', '-'),
    whole,
    fc.option(digits, { nil: undefined }),
    fc.option(fc.tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '+', '-'), fc.stringMatching(/^[0-9]{1,3}$/)), {
      nil: undefined,
    }),
  )
  .map(([sign, value, fraction, exponent]) =>
    [sign, value, fraction === undefined ? '' : `.${fraction}`, exponent?.join('') ?? ''].join(''),
  );

const usual = fc.oneof(
  fc.integer().map(String),
  fc.double({ noDefaultInfinity: true, noNaN: true }).map(String),
  fc.constantFrom('0', '-0', '-0.0', '0.5', '1e2', '127', '128', '-32', '-33', '255', '256', '65535', '65536'),
  fc.constantFrom('2147483647', '2147483648', '-2147483648', '-2147483649', '4294967295', '4294967296'),
  fc.constantFrom('9007199254740991', '9007199254740993', '-9007199254740993', '9223372036854775808'),
  fc.constantFrom('18446744073709551615', '18446744073709551616', '-9223372036854775808', '-9223372036854775809'),
  fc.constantFrom('1e400', '-1e400', '1e-400', '123456789012345.6', '12345678901234567.8'),
);

const key = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .constantFrom('a', 'b', 'env', 'time', '', '__proto__', 'abc', 'abcd', 'abcde')
      .map((name) => `"${name}"`),
  },
  { weight: 1, arbitrary: fc.constantFrom('"\\u0061"', '"\\u005f_proto__"', '"é"', '"a\\n"') },
  { weight: 3, arbitrary: text },
);

const spaced = (value: fc.Arbitrary<string>) => fc.tuple(space, value, space).map((parts) => parts.join(''));

const { object } = fc.letrec<{ value: string; object: string; list: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('true', 'false', 'null', '{}', '[]', '[ ]', '{ }'),
    text,
    number,
    usual,
    tie('list'),
    tie('object'),
  ),
  list: fc.array(spaced(tie('value')), { maxLength: 20 }).map((items) => `[${items.join(',')}]`),
  object: fc
    .array(fc.tuple(spaced(key), spaced(tie('value'))), { maxLength: 20 })
    .map((members) => `{${members.map((member) => member.join(':')).join(',')}}`),
}));

// V8 of Node 26 takes the first of two: JSON.parse('{"x":{"__proto__":1,"a":2,"\\u0061":3,"b":4}}').x.a is 2. As a reference it
// is of no use for such lines.
const isMisread = (line: string) => line.includes('_proto__"') && /\\u00(61|5f)/.test(line);

/** Valid lines. Keys come twice, white space is anywhere. */
export const jsonLine = spaced(object).filter((line) => !isMisread(line));

/** What JSON.parse refuses, or takes for something else than an object. */
export const refused: readonly string[] = [
  ...[
    '',
    ' ',
    '{',
    '}',
    '[]',
    '[{}]',
    'null',
    'true',
    '1',
    '"text"',
    '""',
    'plain text',
    '\u0000',
    '\ufeff{"a":1}',
    '{}{}',
    '{} x',
  ],
  ...[
    '{"a":1}garbage',
    '{"a":1},',
    '{"a":1}}',
    '{"a":1]',
    '{"a":[1}',
    '{"a":[1]]}',
    '{,}',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
  ],
  ...[
    '{"a":1,,"b":2}',
    '{,"a":1}',
    '{"a":1 "b":2}',
    '{"a" 1}',
    '{"a"::1}',
    '{a:1}',
    "{'a':1}",
    '{1:2}',
    '{null:1}',
    '{"a":1;}',
  ],
  ...[
    '{"a":[1,]}',
    '{"a":[,1]}',
    '{"a":[1 2]}',
    '{"a":[1,,2]}',
    '{"a":[}',
    '{"a":]}',
    '{"a":[1:2]}',
    '{"a":{"b"}}',
    '{"a":[{]}}',
  ],
  ...[
    '{"a":01}',
    '{"a":-01}',
    '{"a":+1}',
    '{"a":-}',
    '{"a":--1}',
    '{"a":1.}',
    '{"a":.5}',
    '{"a":-.5}',
    '{"a":1.e1}',
    '{"a":1e}',
  ],
  ...[
    '{"a":1e+}',
    '{"a":1E-}',
    '{"a":1.5e}',
    '{"a":1e1.5}',
    '{"a":0x1}',
    '{"a":1_000}',
    '{"a":NaN}',
    '{"a":Infinity}',
    '{"a":-Infinity}',
  ],
  ...[
    '{"a":1a}',
    '{"a":00}',
    '{"a":0e}',
    '{"a":1e5e5}',
    '{"a":1..5}',
    '{"a":1.5.5}',
    '{"a":- 1}',
    '{"a":12345678901.}',
    '{"a":1 .5}',
  ],
  ...[
    '{"a":tru}',
    '{"a":truE}',
    '{"a":trues}',
    '{"a":nul}',
    '{"a":nulll}',
    '{"a":fals}',
    '{"a":falsE}',
    '{"a":falsee}',
    '{"a":xalse}',
  ],
  ...['{"a":alse}', '{"a":True}', '{"a":undefined}', '{"a":t}', '{"a":f}', '{"a":n}', '{"a":rue}'],
  ...[
    '{"a":"}',
    '{"a":"b}',
    '{"a":"b\\"}',
    '{"a":"\\x41"}',
    '{"a":"\\u12"}',
    '{"a":"\\u123g"}',
    '{"a":"\\u 123"}',
    '{"a":"\\uD83"}',
  ],
  ...[
    '{"a":"\\"}',
    '{"a":"\\a"}',
    '{"a":"\\0"}',
    '{"a":"\\U0041"}',
    '{"a":"\\\'"}',
    '{"a":"\\\u00e9"}',
    '{"a":"\t"}',
    '{"a":"\u0000"}',
  ],
  ...[
    '{"a":"\u001f"}',
    '{"a\u0001":1}',
    '{"a\t":1}',
    '{"a":"b\rc"}',
    '{"a:1}',
    '{"a":1',
    '{"a":[1',
    '{"a":{"b":1}',
    '{"\\x":1}',
    '{"\\u00":1}',
  ],
  ...[
    '\u00a0{"a":1}',
    '{"a":\u00a01}',
    '{"a":1}\u00a0',
    '{\u000b}',
    '{\f}',
    '/*c*/{"a":1}',
    '{"a":1}//c',
    '{"a":1/*c*/}',
    '#{"a":1}',
  ],
];
