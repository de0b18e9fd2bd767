// Start and stop order, with real processes that say when they come and go.

import { until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { runPod } from '../outrigger.ts';
import type { TestContainer } from '../write-pod.ts';

/** Says when it is asked to stop, and stops. */
const polite = (name: string, more: Partial<TestContainer> = {}): TestContainer => ({
  name,
  local: `trap 'echo stopping; kill $!; exit 0' TERM; echo up; while :; do sleep 600 & wait $!; done`,
  ...more,
});

const sidecar = (name: string, more: Partial<TestContainer> = {}) => polite(name, { restartPolicy: 'Always', ...more });

test('init containers run to their end one by one, then all applications start', async () => {
  await using run = await runPod({
    init: [
      { name: 'first', local: 'echo 1 > /data/order; sleep 0.2; echo 2 >> /data/order' },
      { name: 'second', local: 'echo 3 >> /data/order' },
    ].map((each) => ({ ...each, volumeMounts: [{ name: 'data', mountPath: '/data' }] })),
    apps: [
      polite('app', { local: 'cat /data/order; sleep 600', volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
      polite('other'),
    ],
    spec: { volumes: [{ name: 'data', emptyDir: {} }] },
  });
  await run.said(/^app .*3/);
  await run.said(/^other .*up/);
  expect(run.lines('app')).toEqual(['1', '2', '3']);
  expect(run.lines('other')).toEqual(['up']);
  expect(await run.stop()).toEqual({ code: 0, signal: null });
});

test('what comes after a sidecar waits for its startupProbe', async () => {
  await using run = await runPod({
    init: [
      sidecar('slow', {
        local: 'sleep 0.5; touch started; echo started; sleep 600',
        startupProbe: { exec: { command: ['test', '-e', 'started'] }, periodSeconds: 1 },
      }),
      sidecar('next', { local: 'test -e started && echo after; sleep 600' }),
    ],
    apps: [polite('app', { local: 'test -e started && echo after; sleep 600' })],
  });
  await run.said(/^app .*after/);
  await run.said(/^next .*after/);
});

test('a sidecar without a startupProbe holds up nobody', async () => {
  await using run = await runPod({
    init: [sidecar('slow', { readinessProbe: { exec: { command: ['false'] } } })],
    apps: [polite('app')],
  });
  await run.said(/^app .*up/);
  expect(run.stdout).not.toContain('is ready after');
});

test('a sidecar passes only when its postStart hook is done', async () => {
  await using run = await runPod({
    init: [
      sidecar('hooked', { lifecycle: { postStart: { exec: { command: ['sh', '-c', 'sleep 0.3; touch hooked'] } } } }),
    ],
    apps: [polite('app', { local: 'test -e hooked && echo after; sleep 600' })],
  });
  await run.said(/^app .*after/);
});

test('applications stop first, then the sidecars in reverse, one after the other', async () => {
  await using run = await runPod({
    init: [
      sidecar('one'),
      sidecar('two', {
        local: `trap 'echo stopping; sleep 0.3; echo gone; exit 0' TERM; echo up; while :; do sleep 0.05; done`,
      }),
      sidecar('three'),
    ],
    apps: [
      polite('app', {
        local: `trap 'echo stopping; sleep 0.3; echo gone; exit 0' TERM; echo up; while :; do sleep 0.05; done`,
      }),
      polite('quick'),
    ],
  });
  await run.ready();
  for (const name of ['one', 'two', 'three', 'app', 'quick']) await run.said(new RegExp(`^${name} .*up`));
  expect(await run.stop()).toEqual({ code: 0, signal: null });
  const order = run.stdout
    .split('\n')
    .flatMap((line) => /^(\S+) +\| (stopping|gone)$/.exec(line)?.slice(1).join(' ') ?? []);
  expect(order.slice(0, 2).toSorted()).toEqual(['app stopping', 'quick stopping']);
  expect(order.slice(2)).toEqual(['app gone', 'three stopping', 'two stopping', 'two gone', 'one stopping']);
});

test('all preStop hooks begin at once, and SIGTERM waits for the own one', async () => {
  const hook = (name: string) => ({
    preStop: { exec: { command: ['sh', '-c', `echo hook-${name} >> hooks; sleep 0.3; echo done-${name} >> hooks`] } },
  });
  await using run = await runPod({
    init: [
      sidecar('one', {
        lifecycle: hook('one'),
        local: `trap 'cat hooks; exit 0' TERM; echo up; while :; do sleep 0.05; done`,
      }),
    ],
    apps: [
      polite('app', {
        lifecycle: hook('app'),
        local: `trap 'grep -c done-app hooks; exit 0' TERM; echo up; while :; do sleep 0.05; done`,
      }),
    ],
  });
  await run.said(/^one .*up/);
  await run.said(/^app .*up/);
  await run.ready();
  expect(await run.stop()).toEqual({ code: 0, signal: null });
  expect(run.lines('app')).toEqual(['up', '1']);
  const hooks = run.lines('one').slice(1);
  expect(hooks.slice(0, 2).toSorted()).toEqual(['hook-app', 'hook-one']);
  expect(hooks).toContain('done-one');
});

test('a preStop hook may sleep, and may fail without holding up the end', async () => {
  await using run = await runPod({
    apps: [
      polite('sleeper', { lifecycle: { preStop: { sleep: { seconds: 1 } } } }),
      polite('failing', { lifecycle: { preStop: { exec: { command: ['sh', '-c', 'echo no use; exit 3'] } } } }),
      polite('unreachable', { lifecycle: { preStop: { httpGet: { port: 1 } } } }),
    ],
  });
  await run.ready();
  const begin = performance.now();
  expect(await run.stop()).toEqual({ code: 0, signal: null });
  expect(performance.now() - begin).toBeGreaterThan(990);
  expect(run.lines('outrigger')).toContain('preStop of failing failed: sh ended with exit code 3: no use');
  expect(run.stdout).toMatch(/preStop of unreachable failed: .*ECONNREFUSED/);
});

test('who does not heed SIGTERM is killed when the grace period is over', async () => {
  await using run = await runPod({
    init: [sidecar('last')],
    apps: [polite('deaf', { local: `trap 'echo ignored' TERM; echo up; while :; do sleep 0.1; done` })],
    spec: { terminationGracePeriodSeconds: 1 },
  });
  await run.said(/^deaf .*up/);
  await run.said(/^last .*up/);
  const begin = performance.now();
  expect(await run.stop()).toEqual({ code: 0, signal: null });
  expect(performance.now() - begin).toBeGreaterThan(990);
  expect(run.lines('deaf')).toContain('ignored');
  // The sidecar had no SIGTERM until then: it gets one, and time to heed it.
  expect(run.lines('last')).toEqual(['up', 'stopping']);
  expect(run.stdout).toContain('The grace period of 1 s is over; killing last, deaf');
});

test('Ctrl-C twice kills at once', async () => {
  await using run = await runPod({
    init: [sidecar('one', { lifecycle: { preStop: { sleep: { seconds: 600 } } } })],
    apps: [polite('deaf', { local: `trap '' TERM; echo up; while :; do sleep 0.1; done` })],
    spec: { terminationGracePeriodSeconds: 600 },
  });
  await run.said(/^deaf .*up/);
  run.kill('SIGINT');
  await run.said('Stopping');
  const ended = () => {
    run.kill('SIGINT');
    return run.process.exitCode !== null;
  };
  await until(ended, { what: 'the end' });
  expect(await run.exited).toEqual({ code: 1, signal: null });
});

test('one Ctrl-C that arrives twice, as through npm, is one', async () => {
  await using run = await runPod({ apps: [polite('app', { lifecycle: { preStop: { sleep: { seconds: 1 } } } })] });
  await run.said(/^app .*up/);
  run.kill('SIGINT');
  expect(await run.stop()).toEqual({ code: 0, signal: null });
  expect(run.lines('app')).toEqual(['up', 'stopping']);
});

test.for(['SIGTERM', 'SIGHUP'] as const)('%s stops as Ctrl-C does', async (signal) => {
  await using run = await runPod({ apps: [polite('app')] });
  await run.said(/^app .*up/);
  run.kill(signal);
  expect(await run.exited).toEqual({ code: 0, signal: null });
  expect(run.lines('app')).toEqual(['up', 'stopping']);
});

test('Ctrl-C while an init container runs ends it and starts nothing more', async () => {
  await using run = await runPod({
    init: [sidecar('one'), { name: 'setup', local: 'echo working; sleep 600' }, sidecar('two')],
    apps: [polite('app')],
  });
  await run.said(/^one .*up/);
  await run.said(/^setup .*working/);
  expect(await run.stop()).toEqual({ code: 0, signal: null });
  expect(run.lines('one')).toEqual(['up', 'stopping']);
  expect([...run.lines('two'), ...run.lines('app')]).toEqual([]);
});

test('Ctrl-C while a sidecar is not up yet ends it and starts nothing more', async () => {
  await using run = await runPod({
    init: [sidecar('never', { startupProbe: { exec: { command: ['false'] }, failureThreshold: 600 } })],
    apps: [polite('app')],
  });
  await run.said(/^never .*up/);
  expect(await run.stop()).toEqual({ code: 0, signal: null });
  expect(run.lines('never')).toEqual(['up', 'stopping']);
  expect(run.lines('app')).toEqual([]);
});

test('Ctrl-C right after the start leaves nothing', async () => {
  await using run = await runPod({ apps: [polite('app')] });
  const { code } = await run.stop();
  // Before it could listen to signals the signal itself ends it.
  expect([0, null]).toContain(code);
});
