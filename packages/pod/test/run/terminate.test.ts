// `run --terminate`: the end of real Pods, and what is said of it.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { freePort } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import type { Report } from '../../src/run/rehearsal/report.ts';
import { outrigger, type RunningCommand, runPod } from '../outrigger.ts';
import type { TestContainer, TestPod } from '../write-pod.ts';

/** Ready when it listens to signals: what the shell command in `onTerm` does on SIGTERM. */
const listening = (name: string, onTerm: string, more: Partial<TestContainer> = {}): TestContainer => ({
  name,
  local: `trap '${onTerm}' TERM; touch up-${name}; while :; do sleep 0.05; done`,
  readinessProbe: { exec: { command: ['test', '-e', `up-${name}`] }, timeoutSeconds: 5 },
  ...more,
});
const polite = (name: string, more: Partial<TestContainer> = {}) => listening(name, 'exit 0', more);
const sidecar = (each: TestContainer): TestContainer => ({ ...each, restartPolicy: 'Always' });

/** Of the toolkit, on a port of its own. */
const toolkit = async (role: string, args: readonly string[]): Promise<TestContainer> => {
  const address = `127.0.0.1:${await freePort()}`;
  const port = Number(address.split(':')[1]);
  return {
    name: role,
    image: `outrigger/${role}`,
    restartPolicy: 'Always',
    args: [`--admin-address=${address}`, ...args],
    startupProbe: { httpGet: { path: '/startupz', port }, periodSeconds: 1, failureThreshold: 60, timeoutSeconds: 5 },
  };
};

async function terminated(pod: TestPod, ...args: string[]): Promise<{ code: number | null; report: Report }> {
  await using run = await runPod(pod, { args: ['--terminate=0', '--json', ...args] });
  const { code } = await run.exited;
  return { code, report: reportOf(run) };
}

function reportOf({ stdout, stderr }: RunningCommand): Report {
  expect(stdout, stderr).not.toBe('');
  return JSON.parse(stdout);
}

const endOf = ({ containers }: Report, name: string) => containers.find((each) => each.name === name)!;
const eventsOf = ({ timeLine }: Report, name: string) =>
  timeLine.flatMap(({ container, event }) => (container === name ? [event] : []));

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
    'one was told to end only when the grace period was over: it had the last 2 s, and took # s of them',
    'two was told to end only when the grace period was over: it had the last 2 s, and took # s of them',
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
      /^hooked was told to end only when the grace period was over, since its preStop hook did not end: it had the last 2 s/,
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

const logs = { name: 'logs', mountPath: '/logs' };

/** The log-shipper beside an application that logs a line at its start, and on SIGTERM does what is said. */
async function shipping(onTerm: string, args: readonly string[]): Promise<TestPod> {
  const files = ['--source-file-paths=/logs/app.log', '--state-directory=/state'];
  const shipper = await toolkit('log-shipper', [...files, ...args]);
  const first = { name: 'first', local: 'echo the first line > /logs/app.log', volumeMounts: [logs] };
  const state = { name: 'state', mountPath: '/state' };
  return {
    init: [first, { ...shipper, volumeMounts: [logs, state] }],
    apps: [listening('app', onTerm, { volumeMounts: [logs] })],
    spec: { volumes: [logs, state].map(({ name }) => ({ name, emptyDir: {} })) },
  };
}

const nobody = ['--sink=forward', '--sink-forward-address=127.0.0.1:1'];
const theLastLine = 'echo the last line >> /logs/app.log; exit 0';

test('the log-shipper beside a receiver that is down: bytes and lines that go with the Pod are named', async () => {
  const pod = await shipping(theLastLine, [...nobody, '--drain-timeout=3s']);
  const { code, report } = await terminated(pod, '--grace-period=20s');
  expect(code).toBe(1);
  expect(report.lost).toEqual([
    {
      container: 'log-shipper',
      unit: 'bytes',
      count: 'the first line\nthe last line\n'.length,
      text: expect.stringMatching(/^\(2 lines\) of \/logs\/app\.log not delivered to forward: .*127\.0\.0\.1:1\b/),
    },
  ]);
  const shipper = endOf(report, 'log-shipper');
  expect(shipper.exit?.code).toBe(75);
  expect(shipper.lastWords).toMatch(/^Stopping took longer than --drain-timeout: Delivery did not stop/);
  expect(report.troubles).toEqual([`log-shipper ended with exit code 75: ${shipper.lastWords}`]);
});

test('the log-shipper that is killed: what it answered last counts', async () => {
  const { code, report } = await terminated(await shipping('true', nobody), '--grace-period=2s');
  expect(code).toBe(1);
  expect(report.lost).toMatchObject([{ unit: 'bytes', count: 'the first line\n'.length }]);
  expect(report.troubles).toEqual([
    'log-shipper was told to end only when the grace period was over, and was killed',
    expect.stringMatching(/^app was killed: it had not ended \d\.\d s after it was told to$/),
  ]);
  expect(eventsOf(report, 'log-shipper')).toEqual(['SIGTERM', 'SIGKILL', 'SIGKILL, exit code 137']);
  const { killedAt, signalledAt } = endOf(report, 'log-shipper');
  expect(killedAt! - signalledAt!).toBeGreaterThan(1.9);
});

test('the log-shipper that delivers loses nothing, to the line that is written last', async () => {
  const pod = await shipping(theLastLine, []);
  await using run = await runPod(pod, { args: ['--terminate=0', '--json', '--log=raw', '--grace-period=15s'] });
  expect(await run.exited).toEqual({ code: 0, signal: null });
  const report = reportOf(run);
  expect(report).toMatchObject({ orderly: true, lost: [], troubles: [] });
  expect(run.stderr).toMatch(/^log-shipper .*the last line/m);
  expect(report.warnings).toEqual([
    {
      rule: 'stop-time',
      message:
        'if each took all of its time, log-shipper would have 15s of its --drain-timeout of 20s: a grace period of 20s would do',
    },
  ]);
});

test('the proxy that has to cut requests says how many', async () => {
  // It answers nothing.
  const upstream = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const listen = await freePort();
  const proxy = await toolkit('proxy', [
    `--listen-address=127.0.0.1:${listen}`,
    `--upstream=http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
    '--drain-timeout=1s',
  ]);
  await using run = await runPod(
    { init: [proxy], apps: [polite('app')] },
    { args: ['--terminate=600s', '--json', '--grace-period=15s'] },
  );
  await run.ready();
  const client = connect(listen, '127.0.0.1').on('error', () => undefined);
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(upstream, 'request');
  // Ctrl-C does not wait for the time.
  expect(await run.stop()).toEqual({ code: 1, signal: null });
  client.destroy();
  upstream.closeAllConnections();
  upstream.close();
  const report = reportOf(run);
  expect(report.lost).toEqual([{ container: 'proxy', unit: 'requests', count: 1, text: 'in flight, cut' }]);
  expect(endOf(report, 'proxy').exit?.code).toBe(75);
});

test('requests that the application breaks off as it ends are lost, though the proxy ends in order', async () => {
  const [listen, port] = [await freePort(), await freePort()];
  const proxy = await toolkit('proxy', [`--listen-address=127.0.0.1:${listen}`, `--upstream=http://127.0.0.1:${port}`]);
  // It answers nothing, and ends at once.
  const local = `exec node -e "
    process.on('SIGTERM', () => process.exit(0));
    require('node:http').createServer(() => console.log('asked')).listen(${port}, '127.0.0.1');
  "`;
  await using run = await runPod(
    { init: [proxy], apps: [{ name: 'app', local, readinessProbe: { tcpSocket: { port } } }] },
    { args: ['--terminate=600s', '--json'] },
  );
  await run.ready();
  const client = connect(listen, '127.0.0.1');
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await run.said(/^app .*asked/);
  const answered = once(client, 'data');
  expect(await run.stop()).toEqual({ code: 1, signal: null });
  expect(String((await answered)[0])).toMatch(/^HTTP\/1\.1 502 /);
  client.destroy();
  const report = reportOf(run);
  expect(report.lost).toEqual([
    { container: 'proxy', unit: 'requests', count: 1, text: 'given to the application and not answered' },
  ]);
  expect(report.troubles).toEqual([]);
});

test('a Pod that ends by itself is reported too', async () => {
  const { code, report } = await terminated({
    init: [sidecar(polite('one'))],
    apps: [{ name: 'job', local: 'while ! test -e up-one; do sleep 0.05; done; exit 0' }],
    spec: { restartPolicy: 'Never' },
  });
  expect([code, report.troubles]).toEqual([0, []]);
  expect(eventsOf(report, 'one')).toEqual(['SIGTERM', 'exit code 0']);
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
