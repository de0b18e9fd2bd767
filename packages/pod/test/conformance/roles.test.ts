// Sidecars of the toolkit keep the contract, seen from outside. All six of them: test/system/conformance.test.ts.

import { scratch } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { outrigger } from '../outrigger.ts';
import { conformanceOf } from './roles.ts';

test('the monitor keeps every rule', async () => {
  await using directory = await scratch();
  const { code, stdout, stderr } = await outrigger(...(await conformanceOf('monitor', directory.path)));
  expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(
    /^passed +life\/sigterm +\d+\.\d s {2}SIGTERM stops it with exit code 0 within the deadline$/m,
  );
  expect(stdout).toMatch(/\n\n\d+ rules in \d+\.\d s: \d+ passed, 0 failed, \d+ skipped\n$/);
  expect(stdout).not.toContain('\u001b');
});

test('the proxy keeps the rules about its life, traffic after prestop included', async () => {
  await using directory = await scratch();
  const args = await conformanceOf('proxy', directory.path, ['--rule=life/*', '--format=json']);
  const { code, stdout } = await outrigger(...args);
  const { rules } = JSON.parse(stdout) as { rules: { id: string; outcome: string }[] };
  expect(rules.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  expect(rules.find(({ id }) => id === 'life/prestop-traffic')).toMatchObject({ outcome: 'passed' });
  expect(code).toBe(0);
});
