import { expect, test } from 'vitest';
import { parseReference } from '../src/reference.ts';

test('a word may be a tag or a branch, the tag first', () => {
  expect(parseReference('v1.0').candidates).toEqual(['refs/v1.0', 'refs/tags/v1.0', 'refs/heads/v1.0']);
  expect(parseReference('feature/a').candidates).toContain('refs/heads/feature/a');
});

test('HEAD and full names stand for themselves', () => {
  expect(parseReference('HEAD').candidates).toEqual(['HEAD']);
  expect(parseReference('refs/heads/main').candidates).toEqual(['refs/heads/main']);
});

test('a full hash is a commit, in any case of its letters', () => {
  expect(parseReference('A'.repeat(40)).commit).toBe('a'.repeat(40));
  expect(parseReference('a'.repeat(39)).commit).toBeUndefined();
});

test.each([
  '--upload-pack=x',
  '-x',
  '',
  '@',
  'a b',
  'a\nb',
  'a\0b',
  'a..b',
  'refs/../heads/main',
  '/a',
  'a/',
  'a//b',
  'a.lock',
  'a.lock/b',
  '.a',
  'a/.b',
  'a.',
  'a~1',
  'a^',
  'a:b',
  'a*',
  'a?',
  'a[b',
  'a\\b',
  'a@{1}',
])('%j is refused', (written) => {
  expect(() => parseReference(written)).toThrow(/is expected/);
});
