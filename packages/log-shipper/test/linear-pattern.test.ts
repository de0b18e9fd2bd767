import { describe, expect, test } from 'vitest';
import { groupsOf, linearPattern } from '../src/linear-pattern.ts';
import { parsers } from '../src/parser/index.ts';

const evil = [
  '^(a+)+$',
  '^(a|a)*$',
  '(a+a+)+b',
  '^(?:[a-z]+)*=$',
  'a.*b.*c.*d',
  '[^"]*"[^"]*$',
  '(?:.*?,){8}P',
  '(\\s+)$',
];
const units = ['a', 'abc', 'a,', ' '];

/** Generous, since other tests run on this machine too: one that is not linear takes hours. */
const patience = 500;

describe('no line holds up the process', () => {
  test.for(evil)('%s', (pattern) => {
    const match = linearPattern(pattern);
    for (const unit of units) {
      for (const length of [40, 1024, 1025, 65_000]) {
        const text = `${unit.repeat(length / unit.length)}!`.slice(-length);
        const began = performance.now();
        expect(match(text)).toBe(null);
        expect(performance.now() - began, `${length} of "${unit}"`).toBeLessThan(patience);
      }
    }
  });

  test('a line of 1 MiB is not looked at', () => {
    expect(() => linearPattern('a')('a'.repeat(1 << 20))).toThrow('Longer than 64 KiB');
  });
});

test('short and long texts match alike', () => {
  const match = linearPattern(String.raw`^(?<first>\S+) (?<number>\d{3})(?: "(?<quoted>[^"]*)")?(?<rest>.*)$`);
  for (const text of ['one 200', 'one 200 "two"', 'one 200 "two" three\nfour', 'one 20']) {
    const long = text.replace('one', 'o'.repeat(2000));
    const { first, ...groups } = match(text)?.groups ?? {};
    const { first: longFirst, ...longGroups } = match(long)?.groups ?? {};
    expect(longGroups).toEqual(groups);
    expect(longFirst?.length).toBe(first && 2000);
  }
});

test.for(['(?=a)a', '(a)\\1', '(?<x>a)\\k<x>', '(?:a{500}){500}', '(?i:a)'])('%s is refused', (pattern) => {
  expect(() => linearPattern(pattern)).toThrow('linear time is expected');
});

test('what is no pattern is refused with what is wrong', () => {
  expect(() => linearPattern('(a')).toThrow(/Unterminated group/);
});

test('the names of groups', () => {
  expect(groupsOf('(?<a>x)|(?<b>y)(z)')).toEqual(['a', 'b']);
  expect(groupsOf('x')).toEqual([]);
});

test('a parser needs named groups', () => {
  const { parse } = parsers.regex.parameters.pattern!;
  expect(() => parse('a+')).toThrow('named groups');
  expect(() => parse('(?=a)(?<x>a)')).toThrow('linear time');
  expect(parse('(?<x>a)')).toBe('(?<x>a)');
});
