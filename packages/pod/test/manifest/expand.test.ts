import { expect, test } from 'vitest';
import { expand } from '../../src/manifest/expand.ts';

const variables = { A: '1', B: '$(A)', EMPTY: '' };

test.for([
  ['$(A)', '1'],
  ['x-$(A)-$(A)', 'x-1-1'],
  ['$(EMPTY)', ''],
  ['$$(A)', '$(A)'],
  ['$$$(A)', '$1'],
  ['a$$b', 'a$b'],
  ['$(B)', '$(A)'],
  ['$(MISSING)', '$(MISSING)'],
  ['$A $', '$A $'],
  ['$(A', '$(A'],
  ['$()', '$()'],
  ['$(toString)', '$(toString)'],
] as const)('%s becomes %s', ([text, expected]) => {
  expect(expand(text, variables)).toBe(expected);
});
