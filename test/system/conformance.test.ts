// All six roles keep the contract of a sidecar, seen from outside: as programs, and one of the images in its engine.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { scratch } from '@outrigger/core/testing';
import { sidecars } from '@outrigger/example-billing/demo';
import { expect, test, vi } from 'vitest';
import { conformanceOf } from '../../packages/pod/test/conformance/roles.ts';
import { imagePrefix } from './names.ts';
import { engineEnvironment } from './podman.ts';

vi.setConfig({ testTimeout: 300_000 });

const outrigger = fileURLToPath(new URL('../../packages/pod/src/main.ts', import.meta.url));

type Report = { readonly rules: readonly { readonly id: string; readonly outcome: string }[] };

/** The report, whatever it says. */
async function judge(args: readonly string[]): Promise<Report> {
  const options = { env: engineEnvironment, timeout: 280_000, maxBuffer: 1 << 24 };
  const { stdout } = await promisify(execFile)(process.execPath, [outrigger, ...args], options).catch(
    (error: { stdout?: string; code?: unknown }) => {
      // 1: some rules failed.
      if (error.code === 1 && error.stdout) return { stdout: error.stdout };
      throw error;
    },
  );
  return JSON.parse(stdout) as Report;
}

const idsOf = ({ rules }: Report, outcome: string) =>
  rules.filter((rule) => rule.outcome === outcome).map(({ id }) => id);

test.each(sidecars)('%s keeps every rule', async (role) => {
  await using directory = await scratch();
  const report = await judge(await conformanceOf(role, directory.path, ['--format=json']));
  const failed = report.rules.filter(({ outcome }) => outcome === 'failed');
  expect(idsOf(report, 'failed'), JSON.stringify(failed, null, 2)).toEqual([]);
  // As root on Debian there is nothing that cannot be made; what is left depends on what the role is.
  for (const id of idsOf(report, 'skipped')) expect(['life/prestop-traffic', 'container/full-disk']).toContain(id);
});

test('the image of the monitor keeps every rule that a container engine can put to it', async () => {
  const command = ['podman', 'run', `${imagePrefix}/monitor`, '--sidecars=nobody=http://127.0.0.1:9'];
  const report = await judge(['conformance', '--format=json', '--', ...command]);
  expect(report.rules.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  for (const id of ['life/sigterm-as-pid-1', 'container/read-only-root', 'container/memory-limit'])
    expect(idsOf(report, 'passed')).toContain(id);
});
