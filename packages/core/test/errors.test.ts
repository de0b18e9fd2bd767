import { expect, test } from 'vitest';
import { defineErrors, Fault, reasonOf } from '../src/index.ts';

const errors = defineErrors({
  SAMPLE_DOWN: { message: '{peer} is down', hint: 'Start {peer}', status: 502 },
});

test('a Fault fills its message and hint from the fields and keeps its cause', () => {
  const fault = errors.SAMPLE_DOWN({ peer: 'billing' }, new Error('refused'));
  expect(fault).toBeInstanceOf(Fault);
  expect(fault).toMatchObject({ code: 'SAMPLE_DOWN', message: 'billing is down', hint: 'Start billing', status: 502 });
  expect(reasonOf(fault)).toBe('billing is down: refused');
});

test('a reason is one line, says each cause once, and names every address that was tried', () => {
  expect(reasonOf(new Error('a\n  b', { cause: new Error('a\n  b', { cause: 'c' }) }))).toBe('a b: c');
  const refused = ['::1', '127.0.0.1'].map((host) => new Error(`connect ECONNREFUSED ${host}:1`));
  expect(reasonOf(new AggregateError(refused))).toBe('connect ECONNREFUSED ::1:1, connect ECONNREFUSED 127.0.0.1:1');
  expect(reasonOf(new TypeError())).toBe('TypeError');
});
