// `run --terminate`: the end of real Pods, and what is said of it.

import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { outrigger, runPod } from '../outrigger.ts';
import { endOf, eventsOf, listening, polite, reportOf, sidecar, terminated } from './terminated.ts';

test('an orderly end is told step by step', async () => {
  await using run = await runPod(
    {
      init: [sidecar(polite('one')), sidecar(polite('two'))],
      apps: [polite('app', { lifecycle: { preStop: { sleep: { seconds: 1 } } } })],
    },
    { args: ['--terminate', '0'] },
  );
  expect(await run.exited).toEqual({ code: 0, signal: null });
  expect(run.stdout.replace(/\d+\.\d{3} s/g, '#.### s')).toBe(`\
test was ended with a grace period of 5s: it took #.### s

       at  container  what              took
  #.### s  app        preStop begun
  #.### s  app        preStop done   #.### s
  #.### s  app        SIGTERM
  #.### s  app        exit code 0    #.### s
  #.### s  two        SIGTERM
  #.### s  two        exit code 0    #.### s
  #.### s  one        SIGTERM
  #.### s  one        exit code 0    #.### s

Nothing was lost, and all ended in order
`);
  // What containers and the command itself say while it runs is not in the way of the report.
  expect(run.stderr).toContain('is ready after');
});

test('an application that ignores SIGTERM leaves its sidecars the last chance, and each is told once', async () => {
  const slow = 'echo told; sleep 0.5; exit 0';
  await using run = await runPod(
    {
      init: [sidecar(listening('one', slow)), sidecar(listening('two', slow))],
      apps: [listening('deaf', 'true')],
    },
    { args: ['--terminate=0', '--grace-period', '1s', '--json'] },
  );
  expect(await run.exited).toEqual({ code: 1, signal: null });
  const report = reportOf(run);
  expect(report.gracePeriod).toBe(1);
  expect(eventsOf(report, 'deaf')).toEqual(['SIGTERM', 'SIGKILL', 'SIGKILL, exit code 137']);
  for (const name of ['one', 'two']) {
    expect(eventsOf(report, name)).toEqual(['SIGTERM', 'exit code 0']);
    expect(endOf(report, name)).toMatchObject({ lastChance: true, exit: { code: 0 } });
    expect(run.stderr.match(new RegExp(`^${name} .*told`, 'gm'))).toHaveLength(1);
  }
  expect(report.troubles.map((each) => each.replace(/\d\.\d/g, '#'))).toEqual([
    'one was told to end only when the grace period was over: it took # s of the last 2 s, and ended with exit code 0',
    'two was told to end only when the grace period was over: it took # s of the last 2 s, and ended with exit code 0',
    'deaf was killed: it had not ended # s after it was told to',
  ]);
  expect(endOf(report, 'deaf').exit!.took).toBeGreaterThan(0.9);
});

test('who is told to end just before the grace period is over has two seconds from then on', async () => {
  const { code, report } = await terminated(
    { init: [sidecar(listening('late', 'sleep 1; exit 0'))], apps: [listening('app', 'sleep 1.5; exit 0')] },
    '--grace-period=2s',
  );
  expect([code, report.troubles]).toEqual([0, []]);
  expect(eventsOf(report, 'late')).toEqual(['SIGTERM', 'exit code 0']);
  expect(report.took).toBeGreaterThan(2);
});

test('a preStop hook that hangs takes the time to end from its own container', async () => {
  const { code, report } = await terminated(
    {
      init: [
        sidecar(polite('hooked', { lifecycle: { preStop: { sleep: { seconds: 600 } } } })),
        sidecar(polite('next')),
      ],
      apps: [polite('app')],
    },
    '--grace-period=2s',
  );
  expect(code).toBe(1);
  expect(eventsOf(report, 'hooked')).toEqual(['preStop begun', 'SIGTERM', 'exit code 0', 'preStop cut short']);
  expect(eventsOf(report, 'next')).toEqual(['SIGTERM', 'exit code 0']);
  expect(endOf(report, 'hooked').signalledAt).toBeGreaterThan(1.9);
  expect(report.troubles).toEqual([
    expect.stringMatching(
      /^hooked was told to end only when the grace period was over, since its preStop hook did not end: it took \d\.\d s of the last 2 s, and ended with exit code 0$/,
    ),
  ]);
});

test('a sidecar that crashes while the Pod ends is not started again, and that is said', async () => {
  const { code, report } = await terminated({
    init: [
      sidecar({
        name: 'frail',
        local: 'while ! test -e fall; do sleep 0.05; done; exit 3',
        lifecycle: { preStop: { exec: { command: ['touch', 'fall'] } } },
      }),
    ],
    apps: [listening('app', 'sleep 1; exit 0')],
  });
  expect(code).toBe(1);
  expect(eventsOf(report, 'frail').filter((event) => !event.startsWith('preStop'))).toEqual(['exit code 3']);
  expect(report.troubles).toEqual([
    'frail ended by itself before the applications had, and is not started again: exit code 3',
  ]);
  expect(endOf(report, 'frail').signalledAt).toBeUndefined();
});

test('exit codes that are not 0 are named, but for the one that a runtime returns which heeds SIGTERM', async () => {
  const { code, report } = await terminated({
    apps: [listening('jvm', 'exit 143'), listening('wrong', 'exit 7'), polite('app')],
  });
  expect(code).toBe(1);
  expect(report.troubles).toEqual(['wrong ended with exit code 7']);
});

test('Ctrl-C during the end kills at once, and the report says so', async () => {
  await using run = await runPod(
    { apps: [listening('deaf', 'echo heard')] },
    { args: ['--terminate=0', '--json', '--grace-period=600s'] },
  );
  await run.said(/^deaf .*heard/);
  expect(await run.stop()).toEqual({ code: 1, signal: null });
  expect(reportOf(run).troubles).toEqual([expect.stringMatching(/^deaf was killed: it had not ended/)]);
});

test('a Pod that ends by itself is reported too', async () => {
  await using run = await runPod(
    {
      init: [sidecar(polite('one'))],
      apps: [{ name: 'job', local: 'while ! test -e go; do sleep 0.05; done' }],
      spec: { restartPolicy: 'Never' },
    },
    { args: ['--terminate=600s', '--json'] },
  );
  await run.ready();
  await writeFile(run.directory.join('go'), '');
  expect(await run.exited).toEqual({ code: 0, signal: null });
  const report = reportOf(run);
  expect([report.orderly, report.troubles]).toEqual([true, []]);
  expect(eventsOf(report, 'one')).toEqual(['SIGTERM', 'exit code 0']);
});

test('an application of a Job that has completed before is missed by nobody', async () => {
  await using run = await runPod(
    {
      // Were it told to end while it says its last word, it would not mind.
      apps: [polite('app'), { name: 'job', local: `trap '' TERM; while ! test -e go; do sleep 0.05; done; echo done` }],
      spec: { restartPolicy: 'Never' },
    },
    { args: ['--terminate=600s', '--json'] },
  );
  await run.ready();
  await writeFile(run.directory.join('go'), '');
  await run.said(/^job .*done/);
  expect(await run.stop()).toEqual({ code: 0, signal: null });
  expect(reportOf(run).troubles).toEqual([]);
});

test('a Pod that fails before it is ready is no success', async () => {
  const { code, report } = await terminated({
    init: [{ name: 'setup', local: 'exit 4' }],
    apps: [polite('app')],
    spec: { restartPolicy: 'Never' },
  });
  expect(code).toBe(1);
  expect(report.troubles).toEqual(['The Pod was not ready when the end began', 'setup failed: exit code 4']);
});

test.for([
  [['--traffic', 'http://127.0.0.1:1'], '--traffic is for --terminate, which is not there'],
  [['--json'], '--json is for --terminate, which is not there'],
  [['--terminate', '--traffic', 'ftp://x'], '--traffic: a URL with http, https or tcp is expected, not "ftp://x"'],
  [['--terminate=soon'], '--terminate: a duration such as 500ms, 10s or 2m is expected, not "soon"'],
  [['--grace-period', '0'], '--grace-period: at least 1s is expected, not 0'],
] as const)('%s is refused', async ([args, message]) => {
  const { code, stderr } = await outrigger('run', 'pod.yaml', ...args);
  expect([code, stderr]).toEqual([64, `outrigger: ${message}\nSee outrigger run --help\n`]);
});

test('--terminate needs no time, and takes the next word only if it is one', async () => {
  const { code, stderr } = await outrigger('run', '--terminate', 'absent.yaml');
  expect([code, stderr]).toEqual([64, 'absent.yaml: no such file\n']);
});
