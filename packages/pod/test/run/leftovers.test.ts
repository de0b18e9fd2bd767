// Nothing is left behind: every test of a run checks that at its end; here are the hard cases.

import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { scratch, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { runPod } from '../outrigger.ts';

test('children, and children that left the process group, end with their container', async () => {
  await using run = await runPod({
    apps: [{ name: 'app', local: 'sleep 601 & setsid sleep 602 & echo up; trap "" TERM; wait; sleep 603' }],
    spec: { terminationGracePeriodSeconds: 0 },
  });
  await run.said(/^app .*up/);
  await until(() => run.processes().length >= 3, { what: 'the children' });
  expect(await run.stop()).toEqual({ code: 0, signal: null });
  expect(run.processes()).toEqual([]);
});

test('a daemon of a container that crashed is gone before it starts again', async () => {
  await using run = await runPod({ apps: [{ name: 'app', local: 'setsid sleep 602 & echo up; sleep 0.2; exit 1' }] });
  await run.said('it starts again in 1 s');
  expect(run.processes()).toEqual([]);
});

test('when the layout itself fails, one line says so and nothing is left', async () => {
  await using run = await runPod({
    configMaps: { broken: { a: '1', b: '2' } },
    apps: [{ name: 'app', local: 'echo up', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
    spec: {
      volumes: [
        {
          name: 'v',
          configMap: {
            name: 'broken',
            items: [
              { key: 'a', path: 'x' },
              { key: 'b', path: 'x/y' },
            ],
          },
        },
      ],
    },
  });
  expect(await run.exited).toEqual({ code: 1, signal: null });
  expect(run.stderr).toMatch(/^outrigger: .*\n$/);
  expect(run.lines('app')).toEqual([]);
});

test('a run that was killed is cleared up by the next one of the same Pod', async () => {
  await using directory = await scratch();
  const pod = { apps: [{ name: 'app', local: 'echo up; sleep 600' }] };
  const first = await runPod(pod, { directory });
  await first.said(/^app .*up/);
  first.kill('SIGKILL');
  const orphans = await until(() => first.processes().length > 0 && first.processes(), { what: 'orphans' });
  await using second = await runPod(pod, { directory });
  await second.ready();
  expect(second.processes().filter((pid) => orphans.includes(pid))).toEqual([]);
  expect(await readdir(directory.join('tmp'))).toEqual(['outrigger-test']);
});

test('two runs of one Pod at a time have a directory each', async () => {
  await using directory = await scratch();
  const pod = { apps: [{ name: 'app', local: 'echo up; sleep 600' }] };
  await using first = await runPod(pod, { directory });
  await first.ready();
  const second = await runPod(pod, { directory });
  await second.ready();
  expect(await readdir(directory.join('tmp'))).toHaveLength(2);
  await second.stop();
  expect(await readdir(directory.join('tmp'))).toEqual(['outrigger-test']);
  expect(first.processes().length).toBeGreaterThan(0);
});

test('a directory that is not ours is left alone', async () => {
  await using directory = await scratch();
  await mkdir(directory.join('tmp/outrigger-test'), { recursive: true });
  await writeFile(directory.join('tmp/outrigger-test/mine'), 'precious');
  const run = await runPod({ apps: [{ name: 'app', local: 'sleep 600' }] }, { directory });
  await run.ready();
  await run.stop();
  expect(existsSync(directory.join('tmp/outrigger-test/mine'))).toBe(true);
  expect(await readdir(directory.join('tmp'))).toEqual(['outrigger-test']);
});

test('a reader that goes away stops the Pod', async () => {
  await using run = await runPod({ apps: [{ name: 'app', local: 'while :; do echo tick; sleep 0.05; done' }] });
  await run.said('tick');
  run.process.stdout!.destroy();
  expect(await run.exited).toEqual({ code: 0, signal: null });
});
