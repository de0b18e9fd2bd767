import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RecordView } from '../../src/condition/condition.ts';
import { parseCondition } from '../../src/condition/parse-condition.ts';

const fields: Record<string, unknown> = {
  user: { name: 'alice' },
  ms: 512,
  status: '404',
  'a.b': 'c',
  list: [1],
  none: null,
};

const record: RecordView = {
  level: 13,
  tag: 'app.web',
  stream: 'stderr',
  path: '/logs/app.log',
  line: 'GET /health 200',
  field: (names) => names.reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], fields),
};

const view = (more: Partial<RecordView>): RecordView => ({ ...record, ...more });

describe('holds', () => {
  test.each([
    'level>=warn',
    'level>info',
    'level=warn',
    'level<=warning',
    'level<error',
    'level!=error',
    'level exists',
    'tag=app.*',
    'tag=*web',
    'tag=*.*',
    'tag!=db.*',
    'tag="app.web"',
    'stream=stderr',
    'path=/logs/*.log',
    'line~^GET',
    'line ~ "GET .health"',
    'line!~POST',
    'field.user.name=alice',
    'field.user.name~^(a|b)l',
    '(field.user.name~^(a|b)l)',
    'field.ms>=512 and field.ms<513',
    'field.status>400',
    'field."a.b"=c',
    'field.list=[1]',
    'field.user={"name":"alice"}',
    'field.none exists',
    'not field.nothing exists',
    'field.nothing!=x',
    'field.nothing!~x',
    'level=info or stream=stderr and tag=app.*',
    'NOT (level=info or stream=stdout)',
    'not not level=warn',
  ])('%s', (text) => expect(parseCondition(text).holds(record)).toBe(true));
});

describe('does not hold', () => {
  test.each([
    'level>=error',
    'level>warn',
    'level<warn',
    'tag=app',
    'tag=*app',
    'tag=app.*web*web',
    'tag="app.*"',
    'field.nothing=x',
    'field.nothing~.*',
    'field.nothing>0',
    'field.none>=0',
    'field.user.name>0',
    'field.user.name.first=a',
    'field.ms=51*3',
    '(level=info or stream=stderr) and tag=db',
    'not level=warn',
  ])('%s', (text) => expect(parseCondition(text).holds(record)).toBe(false));

  test.each(['level>=trace', 'level<=fatal', 'level=warn', 'level exists'])('%s, of an unknown level', (text) =>
    expect(parseCondition(text).holds(view({ level: 0 }))).toBe(false),
  );
});

test('a level is its whole range of numbers', () => {
  const holding = (text: string) => [12, 13, 14, 16, 17].filter((level) => parseCondition(text).holds(view({ level })));
  expect(holding('level=warn')).toEqual([13, 14, 16]);
  expect(holding('level<=warn')).toEqual([12, 13, 14, 16]);
  expect(holding('level>warn')).toEqual([17]);
  expect(holding('level>=warn')).toEqual([13, 14, 16, 17]);
});

test.each([
  ['tag=a or stream=b', 'bytes'],
  ['line~x and not path=y', 'bytes'],
  ['tag=a or field.x=1', 'fields'],
  ['not (level>=warn)', 'fields'],
])('%s needs %s', (text, needs) => expect(parseCondition(text).needs).toBe(needs));

test.each([
  ['', 'A test such as level>=warn is expected at column 1'],
  ['level>=loud', 'A level such as warn is expected at column 8'],
  ['level~warn', 'A level is compared by = != < <= > or >= at column 7'],
  ['colour=red', 'not colour, at column 1'],
  ['tag=a xor tag=b', '"and" or "or" is expected instead of xor at column 7'],
  ['(tag=a', 'A closing bracket is expected at column 7'],
  ['tag=a)', 'instead of ) at column 6'],
  ['tag=a and', 'A test such as level>=warn is expected at column 10'],
  ['tag', '"exists" or one of = != ~ !~ < <= > >= is expected after tag at column 4'],
  ['tag=', 'A value is expected at column 5'],
  ['tag="a', 'A quote without its end at column 5'],
  ['line~(', 'a regular expression is expected'],
  ['line~(a)\\1', 'linear time'],
  ['field.ms>x', 'A number is expected at column 10'],
  ['field.=x', 'not field., at column 1'],
  ['field.a..b=x', 'not field.a..b, at column 1'],
  ['! tag=a', 'Nothing can begin with ! at column 1'],
  ['__proto__=a', 'not __proto__, at column 1'],
  [`${'('.repeat(500)}tag=a`, 'Nested too deep at column'],
])('%s is refused', (text, message) => expect(() => parseCondition(text)).toThrow(message));

test('whatever is written is read or refused with a column', () => {
  const pieces = [
    'level',
    'tag',
    'field.a',
    '=',
    '!=',
    '~',
    '>=',
    'warn',
    '(',
    ')',
    'and',
    'or',
    'not',
    'exists',
    '"',
    ' ',
    '\\',
    '*',
    '5',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (chosen) => {
      const text = chosen.join('');
      try {
        expect(typeof parseCondition(text).holds(record)).toBe('boolean');
      } catch (error) {
        expect((error as Error).message).toMatch(/at column \d+$/);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('long texts and patterns take no time', () => {
  const begun = performance.now();
  const long = view({ line: 'a'.repeat(1 << 20) });
  expect(parseCondition('line~(a+)+b or line=a*a*a*a*b or line=*b*c*').holds(long)).toBe(false);
  expect(performance.now() - begun).toBeLessThan(2_000);
});
