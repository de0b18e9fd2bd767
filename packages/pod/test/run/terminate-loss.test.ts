// `run --terminate`: what the log-shipper and the proxy had to leave behind.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { freePort, scratch } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { runPod } from '../outrigger.ts';
import type { TestPod } from '../write-pod.ts';
import { endOf, eventsOf, listening, polite, reportOf, terminated, toolkit } from './terminated.ts';

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
  expect(shipper.lastWords).toMatch(
    /^Stopping took longer than --drain-timeout: delivery to forward did not stop within \d+ ms: Sink forward has not acknowledged \d+ bytes/,
  );
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

test('what is not delivered of a file that outlives the Pod is not lost', async () => {
  await using directory = await scratch();
  const pod = await shipping(theLastLine, [...nobody, '--drain-timeout=2s']);
  const volumes = pod.spec!.volumes!.map((each) =>
    each.name === 'logs' ? { name: 'logs', hostPath: { path: directory.path } } : each,
  );
  const { code, report } = await terminated({ ...pod, spec: { volumes } }, '--grace-period=15s');
  expect([code, report.lost, endOf(report, 'log-shipper').exit?.code]).toEqual([1, [], 75]);
});

test('the log-shipper that was pushed records which nobody took: its queue goes with the Pod', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const source = ['--source=http', `--source-http-address=${address}`, '--state-directory=/state'];
  const shipper = await toolkit('log-shipper', [...source, ...nobody, '--drain-timeout=2s']);
  const state = { name: 'state', mountPath: '/state' };
  await using run = await runPod(
    {
      init: [{ ...shipper, volumeMounts: [state] }],
      apps: [polite('app')],
      spec: { volumes: [{ name: 'state', emptyDir: {} }] },
    },
    { args: ['--terminate=600s', '--json', '--grace-period=15s'] },
  );
  await run.ready();
  const headers = { 'content-type': 'application/x-ndjson' };
  const pushed = await fetch(`http://${address}/v1/logs`, { method: 'POST', headers, body: '{"message":"paid"}\n' });
  expect(pushed.ok, await pushed.text()).toBe(true);
  expect(await run.stop()).toEqual({ code: 1, signal: null });
  expect(reportOf(run).lost).toEqual([
    {
      container: 'log-shipper',
      unit: 'bytes',
      count: expect.any(Number),
      text: expect.stringMatching(/^of its queue not delivered to forward: /),
    },
  ]);
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
