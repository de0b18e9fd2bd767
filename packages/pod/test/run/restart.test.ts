// Restarts, probes, and how a Pod ends by itself.

import { readFile } from 'node:fs/promises';
import { freePort, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { RestartDelay } from '../../src/run/container/restart-delay.ts';
import { runPod } from '../outrigger.ts';
import type { TestContainer } from '../write-pod.ts';

const app = (local: string, more: Partial<TestContainer> = {}): TestContainer => ({ name: 'app', local, ...more });

test('the first restart comes at once, then the wait doubles from 1 s to 60 s, and ten good minutes make it new', () => {
  const delay = new RestartDelay();
  expect(Array.from({ length: 9 }, () => delay.after(5))).toEqual([0, 1e3, 2e3, 4e3, 8e3, 16e3, 32e3, 6e4, 6e4]);
  expect(delay.after(10 * 60_000)).toBe(0);
  expect(delay.after(5)).toBe(1_000);
});

test('a container that crashes is started again, at once and then with a wait', async () => {
  await using run = await runPod({ apps: [app('echo up; exit 7')] });
  await run.said('app ended: exit code 7; it starts again in 2 s');
  expect(run.lines('app')).toEqual(['up', 'up', 'up']);
  expect(run.lines('outrigger').filter((line) => line.startsWith('app ended'))).toEqual([
    'app ended: exit code 7; it starts again now',
    'app ended: exit code 7; it starts again in 1 s',
    'app ended: exit code 7; it starts again in 2 s',
  ]);
  expect(await run.stop()).toEqual({ code: 0, signal: null });
});

test('kill -9 of one container leaves the others alone and brings it back', async () => {
  const loop = 'echo $$ > /pids/NAME; echo up; sleep 600';
  const mounted = { volumeMounts: [{ name: 'pids', mountPath: '/pids' }] };
  await using run = await runPod({
    init: [{ name: 'side', restartPolicy: 'Always', local: loop.replace('NAME', 'side'), ...mounted }],
    apps: [app(loop.replace('NAME', 'app'), mounted)],
    spec: { volumes: [{ name: 'pids', emptyDir: {} }] },
  });
  await run.said(/^side .*up/);
  await run.said(/^app .*up/);
  const pid = Number(await readFile(run.directory.join('tmp/outrigger-test/volumes/pids/side'), 'utf8'));
  process.kill(pid, 'SIGKILL');
  await run.said('side ended: SIGKILL, exit code 137; it starts again now');
  await until(() => run.lines('side').length === 2, { what: 'the sidecar to be back' });
  expect(run.lines('app')).toEqual(['up']);
});

test('a program that does not exist is said to be so, again and again', async () => {
  await using run = await runPod({ apps: [app('no-such-program --flag')] });
  await run.said('app ended: exit code 127; it starts again in 1 s');
  expect(run.stdout).toMatch(/app .*no-such-program.*not found/);
});

test.for([
  ['OnFailure', 1],
  ['Always', 1],
] as const)('with restartPolicy %s an init container that fails is tried again', async ([restartPolicy]) => {
  await using run = await runPod({
    init: [{ name: 'setup', local: 'test -e tried || { touch tried; echo first; exit 1; }; echo second' }],
    apps: [app('echo up; sleep 600')],
    spec: { restartPolicy },
  });
  await run.said(/^app .*up/);
  expect(run.lines('setup')).toEqual(['first', 'second']);
});

test('with restartPolicy Never an init container that fails ends the Pod', async () => {
  await using run = await runPod({
    init: [
      { name: 'side', restartPolicy: 'Always', local: 'echo up; sleep 600' },
      { name: 'setup', local: 'exit 3' },
    ],
    apps: [app('echo up')],
    spec: { restartPolicy: 'Never' },
  });
  expect(await run.exited).toEqual({ code: 1, signal: null });
  expect(run.lines('outrigger').at(-1)).toBe('setup failed: exit code 3');
  expect(run.lines('app')).toEqual([]);
});

test.for([
  ['Never', 'exit 0', 0, 'All containers have completed'],
  ['Never', 'exit 3', 1, 'app failed: exit code 3'],
  ['Never', 'kill -9 $$', 1, 'app failed: SIGKILL, exit code 137'],
  ['OnFailure', 'test -e tried || { touch tried; exit 1; }', 0, 'All containers have completed'],
] as const)('a Job ends with its applications: %s, %s', async ([restartPolicy, local, code, said]) => {
  await using run = await runPod({
    init: [
      {
        name: 'side',
        restartPolicy: 'Always',
        local: `trap 'echo stopping; exit 9' TERM; echo up; touch side-is-up; while :; do sleep 0.05; done`,
      },
    ],
    apps: [app(`while ! test -e side-is-up; do sleep 0.05; done; ${local}`)],
    spec: { restartPolicy },
  });
  expect(await run.exited).toEqual({ code, signal: null });
  expect(run.lines('outrigger').at(-1)).toBe(said);
  expect(run.lines('side')).toEqual(['up', 'stopping']);
});

test('a Job with several applications ends when the last one does', async () => {
  await using run = await runPod({
    apps: [app('echo quick; exit 4'), { name: 'slow', local: 'sleep 0.5; echo slow' }],
    spec: { restartPolicy: 'Never' },
  });
  expect(await run.exited).toEqual({ code: 1, signal: null });
  expect(run.lines('slow')).toEqual(['slow']);
});

const server = (port: number, code: string) =>
  `${process.execPath} -e "require('http').createServer((q, s) => { ${code} }).listen(${port}, '127.0.0.1', () => console.log('up'))"`;

test('a failed livenessProbe stops the container with its hook, and it starts again', async () => {
  const port = await freePort();
  await using run = await runPod({
    apps: [
      app(server(port, "s.statusCode = q.url === '/sick' ? (this.sick = 1, 200) : this.sick ? 503 : 200; s.end()"), {
        ports: [{ name: 'http', containerPort: port }],
        startupProbe: { tcpSocket: { port: 'http' }, failureThreshold: 60 },
        livenessProbe: {
          httpGet: { path: '/livez', port: 'http' },
          periodSeconds: 1,
          timeoutSeconds: 10,
          failureThreshold: 2,
        },
        lifecycle: { preStop: { exec: { command: ['sh', '-c', 'echo hook >> hooks'] } } },
      }),
    ],
  });
  await run.said(/^app .*up/);
  await fetch(`http://127.0.0.1:${port}/sick`);
  await run.said('app is stopped: livenessProbe failed: HTTP 503');
  await until(() => run.lines('app').length === 2, { what: 'the second start' });
  expect(await readFile(run.directory.join('hooks'), 'utf8')).toBe('hook\n');
});

test('a failed startupProbe stops the container, and it starts again', async () => {
  await using run = await runPod({
    apps: [
      app('echo up; sleep 600', {
        startupProbe: { tcpSocket: { port: 1 }, periodSeconds: 1, failureThreshold: 1 },
        livenessProbe: { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 1 },
      }),
    ],
  });
  // The livenessProbe, which would fail at once, is not asked before the startupProbe has succeeded.
  await run.said(/app is stopped: startupProbe failed: .*ECONNREFUSED/);
  await run.said('it starts again now');
});

test('the Pod is ready when every readinessProbe says so, and says when one does no more', async () => {
  const port = await freePort();
  await using run = await runPod({
    annotations: { 'outrigger.dev/try': `curl http://127.0.0.1:${port}/\ncat /data/file\n` },
    apps: [
      app(
        server(
          port,
          "if (q.url === '/toggle') this.on = !this.on; s.statusCode = this.on || q.url === '/toggle' ? 200 : 503; s.end()",
        ),
        {
          ports: [{ name: 'http', containerPort: port }],
          readinessProbe: { httpGet: { path: '/', port }, periodSeconds: 1, failureThreshold: 1 },
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ),
    ],
    spec: { volumes: [{ name: 'data', emptyDir: {} }] },
  });
  await run.said(/^app .*up/);
  expect(run.stdout).not.toContain('is ready');
  await fetch(`http://127.0.0.1:${port}/toggle`);
  await run.ready();
  await run.said(`  app  http  http://127.0.0.1:${port}`);
  await run.said(`cat ${run.directory.join('tmp/outrigger-test/volumes/data/file')}`);
  await fetch(`http://127.0.0.1:${port}/toggle`);
  await run.said('app is not ready: HTTP 503');
  await fetch(`http://127.0.0.1:${port}/toggle`);
  await run.said('app is ready again');
});

test('a probe that gets no answer in time has failed', async () => {
  const port = await freePort();
  await using run = await runPod({
    apps: [
      app(server(port, ''), {
        ports: [{ containerPort: port }],
        livenessProbe: {
          httpGet: { port },
          periodSeconds: 1,
          timeoutSeconds: 1,
          failureThreshold: 1,
          initialDelaySeconds: 1,
        },
      }),
    ],
  });
  await run.said('app is stopped: livenessProbe failed: no answer in time');
});
