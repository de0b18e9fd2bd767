// The life of every sidecar: signals, prestop, exit codes.

import { expect, test } from 'vitest';
import type { Ended, Started } from './contract.ts';
import { until } from './until.ts';

// Well beyond what stopping an idle sidecar takes, well under the 20 s that Kubernetes allows by default.
const stopMilliseconds = 5_000;

export function lifeContract(started: Started, ended: Ended): void {
  test('SIGTERM stops it with exit code 0 within the deadline', async () => {
    await using running = await started();
    const begun = performance.now();
    running.sidecar.kill('SIGTERM');
    expect(await running.sidecar.exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - begun).toBeLessThan(stopMilliseconds);
  });

  test('prestop fails readiness while /livez stays 200, then SIGTERM stops it', async () => {
    await using running = await started();
    const { sidecar } = running;
    expect((await sidecar.post('/v1/prestop')).status).toBe(202);
    expect((await sidecar.post('/v1/prestop')).status).toBe(202);
    const ready = await sidecar.get('/readyz');
    expect(ready.status).toBe(503);
    expect(await ready.text()).toContain('[-]leaving failed: the Pod is going');
    expect((await sidecar.get('/livez')).status).toBe(200);
    expect(await (await sidecar.get('/v1')).json()).toMatchObject({ phase: 'leaving' });
    sidecar.kill('SIGTERM');
    expect(await sidecar.exited).toEqual({ code: 0, signal: null });
  });

  test('the words prestop and health reach the running sidecar', async () => {
    await using running = await started();
    const adminAddress = new URL(running.sidecar.url).host;
    const say = async (...words: string[]) => (await ended(words, { adminAddress })).code;
    expect(await say('health', 'live')).toBe(0);
    expect(await say('health', 'startup')).toBe(0);
    expect(await say('prestop')).toBe(0);
    expect(await say('health', 'ready')).toBe(1);
    expect(await say('health', 'wealth')).toBe(64);
  });

  test('POST /v1/shutdown stops it with exit code 0', async () => {
    await using running = await started();
    expect((await running.sidecar.post('/v1/shutdown')).status).toBe(202);
    expect(await running.sidecar.exited).toEqual({ code: 0, signal: null });
  });

  test('SIGTERM before start has finished stops it with exit code 0', async () => {
    await using running = await started({ wait: false });
    const { sidecar } = running;
    await until(() => sidecar.stderr.includes('Admin listener is up'), { what: 'the admin listener' });
    sidecar.kill('SIGTERM');
    expect(await sidecar.exited).toEqual({ code: 0, signal: null });
  });

  test('SIGHUP reads the parameters again and stops nothing', async () => {
    await using running = await started();
    const { sidecar } = running;
    sidecar.kill('SIGHUP');
    await until(() => sidecar.logs().some(({ message }) => message === 'Parameters read again'));
    expect((await sidecar.get('/livez')).status).toBe(200);
  });
}
