// The certificate changes fifty times under two hundred busy connections, and nobody notices but those who come anew.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { type Made, makeCertificate, startPeer, until } from '@outrigger/core/testing';
import { describe, expect, test, vi } from 'vitest';
import { startApplication } from './proxy/application.ts';
import { HttpClient, times } from './proxy/client.ts';
import { type ProxyProcess, secretOf, startProxyProcess } from './proxy/program.ts';

vi.setConfig({ testTimeout: 300_000 });

const swaps = 50;
const busy = 200;

type Change = (proxy: ProxyProcess, made: Made) => Promise<unknown>;

const changes: Readonly<Record<string, Change>> = {
  'a swap of ..data': ({ volume }, made) => volume.swap(secretOf(made)),
  // Between the two the key is not that of the certificate.
  'plain writes': async ({ volume }, { cert, key }) => {
    await writeFile(join(volume.path, 'tls.crt'), cert);
    await writeFile(join(volume.path, 'tls.key'), key);
  },
};

describe.each(Object.keys(changes))('%s', (manner) => {
  test('fifty times under two hundred busy connections', async () => {
    await using application = await startApplication();
    await using proxy = await startProxyProcess({ upstream: application.url });
    const first = await shown(proxy.port);
    using busyOnes = await openBusy(proxy);
    await using wrk = await startWrk(proxy.port);
    const stale: number[] = [];
    for (let serial = 2; serial <= swaps + 1; serial++) {
      const made = makeCertificate({ serial });
      await changes[manner]!(proxy, made);
      await until(async () => (await shown(proxy.port)) === serial, { what: `certificate ${serial}`, deadline: 5_000 });
      // Once a client has seen it, no other may get the one before.
      stale.push(...(await times(4, () => shown(proxy.port))).filter((other) => other !== serial));
      await busyOnes.goOn();
    }
    expect(first).toBe(1);
    expect(stale).toEqual([]);
    expect(busyOnes.failures).toEqual([]);
    // Each is the connection that it was when it began, with the certificate of that time.
    expect(new Set(busyOnes.clients.map(({ fingerprint }) => fingerprint)).size).toBe(1);
    expect(await proxy.metric('certificate_reloads_total{result="used"}')).toBeGreaterThanOrEqual(swaps);
    expect(await wrk.stop()).toBe('');
  });
});

/** Serial number of what a new client is shown. Rejects when the handshake fails. */
function shown(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(Number.parseInt(socket.getPeerX509Certificate()?.serialNumber ?? '', 16));
      socket.end();
    }).on('error', reject);
  });
}

type Busy = Disposable & {
  readonly clients: readonly HttpClient[];
  readonly failures: readonly string[];
  /** Resolves when each of them has asked and been answered once more. */
  goOn(): Promise<void>;
};

async function openBusy({ port, ca }: ProxyProcess): Promise<Busy> {
  const clients: HttpClient[] = [];
  // Some at a time: two hundred handshakes at once are a test of their own.
  while (clients.length < busy) clients.push(...(await times(20, () => HttpClient.open({ port, ca }))));
  const failures: string[] = [];
  const answered = clients.map(() => 0);
  let over = false;
  const ask = async (client: HttpClient, index: number) => {
    const name = `${index}-${answered[index]}`;
    const { status, close, body } = await client.get(`/echo/${name}`);
    if (status !== 200 || close || body.toString() !== name) throw new Error(`${name}: ${status} ${close} ${body}`);
    answered[index]!++;
  };
  const work = async (client: HttpClient, index: number) => {
    while (!over) await ask(client, index);
  };
  clients.forEach((client, index) => {
    work(client, index).catch((error: Error) => over || failures.push(`client ${index}: ${error.message}`));
  });
  return {
    clients,
    failures,
    async goOn() {
      const before = [...answered];
      const slow = () => answered.filter((count, index) => count < before[index]! + 2).length;
      await until(() => slow() === 0 || failures.length > 0, {
        deadline: 30_000,
        what: () => `${slow()} clients to go on`,
      });
    },
    [Symbol.dispose]() {
      over = true;
      for (const { socket } of clients) socket.destroy();
    },
  };
}

/** A client of another make beside them. `stop` resolves with what went wrong in its eyes. */
async function startWrk(port: number) {
  const args = ['-t1', '-c16', '-d600s', '--timeout', '5s', `https://127.0.0.1:${port}/echo/wrk`];
  const wrk = await startPeer('wrk', args);
  return {
    async stop() {
      wrk.kill('SIGINT');
      await wrk.exited;
      expect(wrk.stdout).toMatch(/[1-9]\d* requests in/);
      return wrk.stdout
        .split('\n')
        .filter((line) => /Socket errors|Non-2xx/.test(line))
        .join('\n');
    },
    [Symbol.asyncDispose]: () => wrk[Symbol.asyncDispose](),
  };
}
