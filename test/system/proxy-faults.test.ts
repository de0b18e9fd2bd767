// What happens to a Pod: the application is killed, or there are no more file descriptors.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { freePort, makeCertificate, startPeer, until } from '@outrigger/core/testing';
import { describe, expect, test, vi } from 'vitest';
import { startApplication } from './proxy/application.ts';
import { Broken, type ClientOptions, HttpClient, requestOf, times } from './proxy/client.ts';
import { type ProxyProcess, secretOf, startProxyProcess } from './proxy/program.ts';

vi.setConfig({ testTimeout: 90_000 });

const mortal = fileURLToPath(new URL('proxy/mortal.ts', import.meta.url));

describe.each([
  ['TLS', true],
  ['plain HTTP', false],
])('over %s', (_, tls) => {
  test('an application killed in the middle of forty responses leaves none that looks whole, and may come back', async () => {
    const port = await freePort();
    const start = () => startPeer(process.execPath, [mortal, String(port)], { ready: /ready/ });
    await using proxy = await startProxyProcess({ upstream: `http://127.0.0.1:${port}`, tls });
    const files = proxy.files();
    let got = 0;
    const download = async (client: HttpClient, index: number) => {
      client.send(requestOf(index % 2 === 0 ? '/length' : '/chunks'));
      const take = (octets: Buffer) => {
        got += octets.length;
      };
      return client.response(take).catch((error: unknown) => error);
    };
    {
      await using application = await start();
      const clients = await times(40, () => HttpClient.open(proxy));
      const endings = clients.map(download);
      await until(() => got === 40 * 100_000, { what: () => `the halves: ${got} octets` });
      application.kill('SIGKILL');
      for (const ending of await Promise.all(endings))
        expect(ending).toSatisfy((error) => error instanceof Broken && error.began);
      for (const { socket } of clients) socket.destroy();
    }
    using client = await HttpClient.open(proxy);
    expect((await client.get('/whole')).status).toBe(502);
    await using _ = await start();
    expect(await client.get('/whole')).toMatchObject({ status: 200, body: Buffer.from('whole') });
    expect(await proxy.metric('upstream_errors_total{reason="closed"}')).toBe(40);
    client.socket.destroy();
    await proxy.idle();
    expect(proxy.files()).toBe(files);
  });

  test('out of file descriptors it keeps those who are connected, and takes others again as soon as it can', async () => {
    await using application = await startApplication();
    const flags = ['--tls-reload-period', '1s', '--upstream-idle-timeout', '10s'];
    await using proxy = await startProxyProcess({ upstream: application.url, tls, flags });
    const files = proxy.files();
    using before = await HttpClient.open(proxy);
    // With it goes a connection to the application, which is kept.
    expect((await before.get('/echo/before')).status).toBe(200);
    limitDescriptors(proxy, proxy.files() + proxy.sockets().length + left);
    await using crowd = new AsyncDisposableStack();
    const statuses = await times(60, async () => {
      try {
        return (await crowd.use(await HttpClient.open(proxy)).get('/echo/crowd')).status;
      } catch (error) {
        return (error as Error).name;
      }
    });
    const inside = statuses.filter((status) => typeof status === 'number');
    expect(inside.length).toBeLessThanOrEqual(left);
    // Whose connection to the application took the last descriptor.
    expect(inside.filter((status) => status !== 200 && status !== 502)).toEqual([]);
    expect((await before.get('/echo/still')).status).toBe(200);
    const renewed = makeCertificate({ serial: 2 });
    if (tls) await proxy.volume.swap(secretOf(renewed));
    await crowd.disposeAsync();
    // With the certificate that came while there was nothing to read it with.
    await untilServed({ port: proxy.port, ca: tls ? renewed.cert : undefined });
    expect((await before.get('/echo/after')).status).toBe(200);
    before.socket.destroy();
    await proxy.idle(20_000);
    expect(proxy.files()).toBe(files);
  });
});

/** Descriptors that the proxy may still open. */
const left = 10;

function limitDescriptors({ sidecar }: ProxyProcess, most: number): void {
  execFileSync('prlimit', ['--pid', String(sidecar.pid), `--nofile=${most}`]);
}

/** Nobody is told that there is room again: whoever comes finds it. */
async function untilServed(to: ClientOptions): Promise<void> {
  let said = '';
  const isServed = async () => {
    try {
      using client = await HttpClient.open(to);
      const { status } = await client.get('/echo/new');
      said = String(status);
      return status === 200;
    } catch (error) {
      said = (error as Error).message;
      return false;
    }
  };
  await until(isServed, { what: () => `a new client to be served: ${said}` });
}
