import { expect, test, vi } from 'vitest';
import { Seldom } from '../src/seldom.ts';

test('each kind is said once in ten seconds, and then how many were left out', () => {
  let now = 5;
  const warn = vi.fn();
  const seldom = new Seldom({ warn }, () => now);
  for (let i = 0; i < 100; i++) seldom.warn('one', 'One', { i });
  seldom.warn('other', 'Other');
  now += 9_999;
  seldom.warn('one', 'One', { i: 100 });
  expect(warn.mock.calls).toEqual([
    ['One', { i: 0 }],
    ['Other', {}],
  ]);
  warn.mockClear();
  now += 1;
  seldom.warn('one', 'One', { i: 101 });
  seldom.warn('other', 'Other');
  now += 10_000;
  seldom.warn('one', 'One', { i: 102 });
  expect(warn.mock.calls).toEqual([
    ['One', { i: 101, leftOut: 100 }],
    ['Other', {}],
    ['One', { i: 102 }],
  ]);
});
