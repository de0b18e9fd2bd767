import { existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { freePort, scratch, startSidecar, until } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import type { Process } from '../src/attribute.ts';
import type { SidecarHealth } from '../src/judge.ts';
import { httpPeer, sidecarPeer } from './peer.ts';
import { runProcess } from './run-process.ts';

const main = import.meta.resolve('../src/main.ts');
const quick = ['--sample-period', '100ms', '--idle-period', '100ms', '--health-period', '100ms'];

let pods = 0;
/** Environment of a container in a Pod of the test's own. */
function pod() {
  const id = `monitor-${process.pid}-${++pods}`;
  return (container: string) => ({ OUTRIGGER_POD_ID: id, OUTRIGGER_CONTAINER: container });
}

const json = async <T>(response: Promise<Response>) => (await (await response).json()) as T;

describe.runIf(existsSync('/proc/self/stat'))('processes', () => {
  test('of the Pod are listed by container, with what they use, in JSON and on the page', async () => {
    await using directory = await scratch();
    await copyFile('/bin/sleep', directory.join('<b>&"app'));
    const of = pod();
    await using app = await runProcess(directory.join('<b>&"app'), ['60'], { env: of('billing') });
    await using monitor = await startSidecar(main, quick, { env: of('monitor'), ready: true });
    const processes = await until(async () => {
      const all = await json<Process[]>(monitor.get('/v1/processes'));
      return all.some(({ name }) => name === '<b>&"app') && all;
    });
    expect(processes.map(({ pid, container }) => [pid, container])).toEqual(
      [
        [app.pid, 'billing'],
        [monitor.pid, 'monitor'],
      ].sort((a, b) => Number(a[0]) - Number(b[0])),
    );
    const self = processes.find(({ pid }) => pid === monitor.pid)!;
    expect(self.memory).toBeGreaterThan(1024 * 1024);
    expect(self.cpuSeconds).toBeGreaterThan(0);
    expect(Math.abs(Date.now() - Date.parse(self.started))).toBeLessThan(60_000);
    const page = await (await monitor.get('/')).text();
    expect(page).toContain('&#60;b&#62;&#38;&#34;app');
    expect(page).not.toContain('<b>&"app');
  });

  test('that have ended leave the list and the metrics', async () => {
    const of = pod();
    await using app = await runProcess('sleep', ['60'], { env: of('billing') });
    await using monitor = await startSidecar(main, quick, { env: of('monitor') });
    const series = 'outrigger_monitor_container_processes{container="billing"} 1';
    const metrics = async () => (await monitor.get('/metrics')).text();
    await until(async () => (await metrics()).includes(series), { what: series });
    expect(await metrics()).toMatch(/^outrigger_monitor_container_cpu_seconds_total\{container="monitor"\} [\d.]+$/m);
    expect(await metrics()).toMatch(/^outrigger_monitor_container_memory_bytes\{container="billing"\} [1-9]\d+$/m);
    expect(await metrics()).not.toContain(`pid=`);
    await app[Symbol.asyncDispose]();
    await until(async () => !(await metrics()).includes('billing'), { what: 'the series of the container to go' });
    expect((await json<Process[]>(monitor.get('/v1/processes'))).map(({ pid }) => pid)).toEqual([monitor.pid]);
  });

  test('show no arguments, which may be secrets, unless they are asked for', async () => {
    const of = pod();
    await using app = await runProcess('sh', ['-c', 'read x', 'sh', '--password=hunter2'], { env: of('billing') });
    const everything = async (...args: string[]) => {
      await using monitor = await startSidecar(main, [...quick, ...args], { env: of('monitor'), ready: true });
      const all = await Promise.all(
        ['/', '/v1/processes', '/metrics', '/v1/status'].map(async (path) => (await monitor.get(path)).text()),
      );
      expect(all.join()).toContain('billing');
      return all.join() + monitor.stderr;
    };
    expect(app.pid).toBeGreaterThan(0);
    expect(await everything()).not.toContain('hunter2');
    expect(await everything('--show-arguments')).toContain('hunter2');
  });
});

describe('sidecars', () => {
  test('are shown as they answer, and none holds up the monitor', async () => {
    let reasons: string | undefined;
    await using healthy = await sidecarPeer();
    await using failing = await sidecarPeer(
      () => reasons ?? '[-]upstream failed: no answer since 2026-01-01T00:00:00Z\n',
    );
    await using hanging = await httpPeer(() => undefined);
    await using garbage = await httpPeer((_, response) => response.end('\u0000<script>'));
    const absent = `http://127.0.0.1:${await freePort()}/`;
    const named = { healthy: healthy.url, failing: failing.url, hanging: hanging.url, garbage: garbage.url, absent };
    const args = Object.entries(named).flatMap(([name, url]) => ['--sidecars', `${name}=${url}`]);
    await using monitor = await startSidecar(main, [...quick, '--health-timeout', '1s', ...args], { ready: true });
    const health = () => json<SidecarHealth[]>(monitor.get('/v1/health'));
    const states = async () => (await health()).map(({ name, state, reason }) => ({ name, state, reason }));
    await until(
      async () => (await states()).map(({ state }) => state).join(' ') === 'ready failing silent failing absent',
    );
    expect(await states()).toEqual([
      { name: 'healthy', state: 'ready', reason: null },
      { name: 'failing', state: 'failing', reason: 'upstream: no answer' },
      { name: 'hanging', state: 'silent', reason: 'no answer within 1000 ms' },
      { name: 'garbage', state: 'failing', reason: 'it does not answer /v1 as a sidecar does' },
      { name: 'absent', state: 'absent', reason: 'connection refused' },
    ]);
    expect((await health())[0]).toMatchObject({ url: healthy.url.href, phase: 'serving', version: '1.2.3' });
    const metrics = await (await monitor.get('/metrics')).text();
    expect(metrics).toContain('outrigger_monitor_sidecar_state{sidecar="hanging",state="silent"} 1');
    expect(metrics).toContain('outrigger_monitor_sidecar_state{sidecar="hanging",state="ready"} 0');
    expect((await monitor.get('/readyz')).status).toBe(200);
  });

  test('that change are told once: in the log, as an event and in a metric', async () => {
    let reasons: string | undefined;
    await using peer = await sidecarPeer(() => reasons);
    await using monitor = await startSidecar(main, [
      ...quick,
      '--health-timeout',
      '10s',
      '--sidecars',
      `proxy=${peer.url}`,
    ]);
    const state = async () => (await json<SidecarHealth[]>(monitor.get('/v1/health')))[0]?.state;
    await until(async () => (await state()) === 'ready');
    reasons = '[-]upstream failed: no answer since 2026-01-01T00:00:00Z\n';
    await until(async () => (await state()) === 'failing');
    await peer[Symbol.asyncDispose]();
    await until(async () => (await state()) === 'absent');
    const codes = monitor
      .logs()
      .map(({ code }) => code)
      .filter((code) => code !== undefined);
    expect(codes).toEqual(['MONITOR_SIDECAR_FAILING', 'MONITOR_SIDECAR_GONE']);
    expect(await (await monitor.get('/metrics')).text()).toContain('sidecar_state_changes_total{sidecar="proxy"} 2');
    const events = await monitor.get('/v1/events');
    let text = '';
    for await (const chunk of events.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes('"to":"absent"')) break;
    }
    expect([...text.matchAll(/"from":"(\w+)","to":"(\w+)"/g)].map(([, from, to]) => `${from} ${to}`)).toEqual([
      'unknown ready',
      'ready failing',
      'failing absent',
    ]);
  });

  test('the default list is quiet about sidecars that the Pod does not have', async () => {
    await using monitor = await startSidecar(main, quick, { ready: true });
    const health = await until(async () => {
      const all = await json<SidecarHealth[]>(monitor.get('/v1/health'));
      return all.every(({ state }) => state !== 'unknown') && all;
    });
    expect(health.map(({ name, url }) => `${name} ${url}`)).toEqual([
      'proxy http://127.0.0.1:9401/',
      'log-shipper http://127.0.0.1:9402/',
      'adapter http://127.0.0.1:9403/',
      'git-sync http://127.0.0.1:9404/',
      'config-reloader http://127.0.0.1:9405/',
    ]);
    for (const { name, state } of health)
      if (state === 'absent')
        expect(monitor.logs().filter(({ sidecar, level }) => sidecar === name && level !== 'info')).toEqual([]);
  });

  test('a wrong name or URL is a wrong parameter', async () => {
    const wrong = [
      'a b=http://127.0.0.1:1',
      'user=http://me:secret@127.0.0.1:1',
      'scheme=https://127.0.0.1:1',
      'nothing',
    ];
    await using monitor = await startSidecar(
      main,
      wrong.flatMap((each) => ['--sidecars', each]),
      { wait: false },
    );
    expect((await monitor.exited).code).toBe(64);
    for (const words of ['scheme=https', 'nothing']) expect(monitor.stderr).toContain(words);
    await using other = await startSidecar(
      main,
      wrong.slice(0, 2).flatMap((each) => ['--sidecars', each]),
      { wait: false },
    );
    expect((await other.exited).code).toBe(64);
    for (const words of ['"a b": a name of small letters', '"user": a URL without user name'])
      expect(other.stderr).toContain(words);
  });
});

test('a sort that does not exist is refused, and one that does is a link away', async () => {
  await using monitor = await startSidecar(main, quick);
  expect((await monitor.get('/?sort=memory')).status).toBe(200);
  expect(await json(monitor.get('/?sort=name'))).toMatchObject({ status: 400, code: 'INVALID_REQUEST' });
});
