// What is refused before anything starts, and what the command line can change.

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { freePort, scratch } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { runPod } from '../outrigger.ts';

test('a port that somebody else has is refused with its container and name', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await using run = await runPod({
    apps: [{ name: 'app', local: 'echo up', ports: [{ name: 'http', containerPort: port }] }],
  });
  expect(await run.exited).toEqual({ code: 1, signal: null });
  expect(run.stderr).toBe(`Port ${port} (http) of container app is already in use on this machine\n`);
  expect(run.stdout).toBe('');
  server.close();
});

test('a wrong manifest is refused with everything that is wrong', async () => {
  await using run = await runPod({
    apps: [
      { name: 'app', volumeMounts: [{ name: 'absent', mountPath: '/x' }] },
      { name: 'proxy', image: 'outrigger/proxy', args: ['--upstrem=http://127.0.0.1:1'] },
    ],
  });
  expect(await run.exited).toEqual({ code: 64, signal: null });
  expect(run.stderr).toContain('spec.containers[0].volumeMounts[0].name: no volume is named "absent"');
  expect(run.stderr).toContain('spec.containers[0].image: "test" is not an image of the toolkit; metadata.annotations');
  expect(run.stderr).toContain('spec.containers[1].args[0]: --upstrem unknown; did you mean --upstream?');
  expect(run.stdout).toBe('');
});

test('what only a cluster has is refused', async () => {
  await using run = await runPod({
    apps: [
      {
        name: 'app',
        local: 'true',
        envFrom: [{ configMapRef: { name: 'absent' } }],
        volumeMounts: [{ name: 'disk', mountPath: '/x' }],
      },
    ],
    spec: { volumes: [{ name: 'disk', persistentVolumeClaim: { claimName: 'x' } }] },
  });
  expect(await run.exited).toEqual({ code: 64, signal: null });
  expect(run.stderr).toContain('this machine cannot run a volume of the kind persistentVolumeClaim');
  expect(run.stderr).toContain('ConfigMap "absent" is not in this file, and this machine has no cluster');
});

test('--env sets a variable of one container, as it is', async () => {
  await using run = await runPod(
    {
      apps: [
        {
          name: 'app',
          local: 'echo "$A $B $C"',
          env: [
            { name: 'A', value: 'old' },
            { name: 'B', value: '$(A)' },
          ],
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      spec: { restartPolicy: 'Never', volumes: [{ name: 'data', emptyDir: {} }] },
    },
    { args: ['--env', 'app.A=new=1', '--env=app.C=/data/x'] },
  );
  expect((await run.exited).code).toBe(0);
  expect(run.lines('app')).toEqual(['new=1 old /data/x']);
});

test.for([
  [['--env', 'ap.A=1'], '--env ap.*: no container is named "ap"; did you mean app?'],
  [['--env', 'A=1'], '--env "A=1": <container>.<NAME>=<value> is expected'],
  [['--log', 'prety'], 'outrigger: --log: pretty or raw is expected, not "prety"'],
  [['--en', 'x'], 'outrigger: --en is unknown; did you mean --env?'],
] as const)('%s is refused', async ([args, message]) => {
  await using run = await runPod({}, { args });
  expect(await run.exited).toEqual({ code: 64, signal: null });
  expect(run.stderr).toContain(message);
});

test('a container has a clean environment and the names of Pod and container', async () => {
  await using run = await runPod({
    name: 'billing',
    apps: [
      {
        name: 'app',
        local: 'echo "$HOSTNAME $OUTRIGGER_CONTAINER $OUTRIGGER_LOG_LEVEL"; test -n "$OUTRIGGER_POD_ID" && pwd',
      },
    ],
    spec: { restartPolicy: 'Never' },
  });
  expect((await run.exited).code).toBe(0);
  expect(run.lines('app')).toEqual(['billing app ', run.directory.path]);
});

test('a sidecar of the toolkit runs its own program, with probes and hooks by its own words', async () => {
  const port = await freePort();
  const word = (...words: string[]) => ({ exec: { command: ['sidecar', ...words] } });
  await using run = await runPod(
    {
      init: [
        {
          name: 'monitor',
          image: 'registry.example/outrigger/monitor:0.1.0',
          restartPolicy: 'Always',
          env: [{ name: 'OUTRIGGER_ADMIN_ADDRESS', value: `127.0.0.1:${port}` }],
          startupProbe: { ...word('health', 'startup'), timeoutSeconds: 10, failureThreshold: 30 },
          readinessProbe: { ...word('health', 'ready'), timeoutSeconds: 10 },
          lifecycle: { preStop: word('prestop') },
        },
      ],
      apps: [{ name: 'app', local: 'echo up; sleep 600' }],
      spec: { shareProcessNamespace: true, terminationGracePeriodSeconds: 20 },
    },
    { args: ['--log', 'pretty'] },
  );
  await run.ready();
  await run.said(`  monitor  admin  http://127.0.0.1:${port}`);
  const processes = (await (await fetch(`http://127.0.0.1:${port}/v1/processes`)).json()) as { container: string }[];
  expect(new Set(processes.map(({ container }) => container))).toEqual(new Set(['app', 'monitor']));
  expect(await run.stop()).toEqual({ code: 0, signal: null });
  const said = run.lines('monitor').map((line) => line.replace(/^\S+ /, ''));
  const [leaving, stopping] = ['info  The Pod is going', 'info  Stopping'].map((text) =>
    said.findIndex((line) => line.startsWith(text)),
  );
  expect(leaving).toBeGreaterThan(0);
  expect(stopping).toBeGreaterThan(leaving!);
});

test('what is not a Pod is refused with its kind', async () => {
  await using directory = await scratch();
  await writeFile(
    directory.join('job.yaml'),
    'apiVersion: batch/v1\nkind: Job\nmetadata: { name: x }\nspec: { template: { spec: { restartPolicy: Never, containers: [{ name: a, image: a }] } } }\n',
  );
  await using run = await runPod(directory.join('job.yaml'));
  expect(await run.exited).toEqual({ code: 64, signal: null });
  expect(run.stderr).toContain('a Pod is expected, this is a Job; write its template as a Pod to run it here');
});
