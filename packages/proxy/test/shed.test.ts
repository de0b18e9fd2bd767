import { Agent, request } from 'node:http';
import { limitMemory, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { httpApplication } from './http-application.ts';
import { startProxy } from './start-proxy.ts';

const limit = limitMemory(256 * 1024 ** 2);
const reason = typeof limit === 'string' ? ` (${limit})` : '';

test.skipIf(typeof limit === 'string')(
  `near its memory limit it refuses with 503 and Retry-After instead of dying, and serves again after${reason}`,
  async () => {
    if (typeof limit === 'string') return;
    await using group = limit;
    await using application = await httpApplication((_, response) => response.end('hello'));
    await using proxy = await startProxy({ upstream: application.url });
    using kept = Object.assign(new Agent({ keepAlive: true }), { [Symbol.dispose]: () => kept.destroy() });
    const get = (agent: Agent | false = false) =>
      new Promise<{ status: number | undefined; retryAfter: string | undefined } | string>((resolve) => {
        request({ port: proxy.port, agent }, (response) => {
          response.resume().on('end', () => {
            resolve({ status: response.statusCode, retryAfter: response.headers['retry-after'] });
          });
        })
          .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
          .end();
      });
    expect(await get(kept)).toEqual({ status: 200, retryAfter: undefined });
    group.add(proxy.sidecar.pid);
    {
      await using _full = await group.fill(0.93);
      // Who is connected is told; who comes is closed at once.
      const told = await until(async () => {
        const answer = await get(kept);
        return typeof answer === 'object' && answer.status === 503 && answer;
      });
      expect(told.retryAfter).toBe('1');
      expect(await get()).toBe('ECONNRESET');
      expect(await proxy.metric('connections_refused_total')).toBeGreaterThan(0);
      expect(await proxy.metric('refusals_total{reason="memory"}')).toBe(1);
      const metrics = await (await proxy.sidecar.get('/metrics')).text();
      expect(metrics).toContain('outrigger_memory_shedding 1\n');
      expect((await proxy.sidecar.get('/livez')).status).toBe(200);
    }
    await until(async () => JSON.stringify(await get()).includes('200'), { what: 'the proxy to serve again' });
    expect(group.kills).toBe(0);
  },
);
