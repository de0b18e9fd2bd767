// Clients that mean harm: those that are slow on purpose, that never finish a handshake, that send what is no request. The
// memory that they cost has a bound, and whoever means well is served all the while.

import { fileURLToPath } from 'node:url';
import { type Peer, startPeer, until } from '@outrigger/core/testing';
import { describe, expect, test, vi } from 'vitest';
import { startApplication } from './proxy/application.ts';
import { HttpClient } from './proxy/client.ts';
import { type ProxyProcess, startProxyProcess } from './proxy/program.ts';
import { waitedForProcessor } from './proxy/scheduling.ts';

vi.setConfig({ testTimeout: 240_000 });

const mebibyte = 1024 ** 2;

// What a connection may cost, measured and rounded up: one that has been accepted, with TLS or without; one in the middle
// of a TLS handshake, with OpenSSL's state of it; one that does not read, with what was read from the application for it at
// once (128 KiB), and with TLS encrypted too.
const accepted = 64 * 1024;
const shakingHands = 128 * 1024;
const notReading = 192 * 1024;
const notReadingTls = 384 * 1024;
// The heap between two collections and what malloc keeps. Measured: up to 10 MiB while connections stay, 50 while thousands
// come and go, however many: V8 collects when 64 MiB of memory outside its heap hang on what is garbage.
const staying = 24 * mebibyte;
const passing = 64 * mebibyte;

type Flood = {
  readonly kind: string;
  readonly tls: boolean;
  /** At a time. */
  readonly connections: number;
  /** Most octets of memory for each of them. */
  readonly each: number;
  /** Octets whatever the number. */
  readonly overhead?: number;
  /** What counts those that were thrown out; they come again at once. */
  readonly met?: string;
};

const tooLate = 'refusals_total{reason="head_timeout"}';
const failed = 'handshake_failures_total';

const shaking = { tls: true, connections: 40, each: shakingHands, overhead: passing, met: failed };

const floods: readonly Flood[] = [
  { kind: 'heads that drip', tls: true, connections: 500, each: accepted, met: tooLate },
  { kind: 'heads that drip', tls: false, connections: 1_000, each: accepted, met: tooLate },
  { kind: 'bodies that drip', tls: true, connections: 500, each: accepted },
  { kind: 'bodies that drip', tls: false, connections: 500, each: accepted },
  { kind: 'responses that are read drop by drop', tls: true, connections: 200, each: notReadingTls },
  { kind: 'responses that are read drop by drop', tls: false, connections: 200, each: notReading },
  { kind: 'handshakes that never begin', ...shaking },
  { kind: 'handshakes that are left half done', ...shaking },
  { kind: 'handshakes of garbage', ...shaking },
];

// Short, so that it is over within the test.
const flags = ['--head-timeout', '3s', '--handshake-timeout', '3s'];

describe.each(floods)('$connections $kind, TLS $tls', ({ kind, tls, connections, each, overhead = staying, met }) => {
  test('have a bound, and good clients are served meanwhile', async () => {
    await using application = await startApplication();
    await using proxy = await startProxyProcess({ upstream: application.url, tls, flags });
    const before = proxy.memory();
    await using attackers = await attack(kind, proxy, connections);
    await until(() => attackers.stdout.includes('begun'), { deadline: 60_000, what: 'the attackers to be there' });
    const watched = await watch(proxy, 6_000);
    expectServed(watched);
    expectBounded(watched.peak - before, overhead + connections * each);
    if (met) expect(await proxy.metric(met)).toBeGreaterThanOrEqual(connections);
  });
});

const atATime = 400;

// Milliseconds. Whoever is shut out waits for as long as an attacker is put up with; on two cores that the application and
// the attackers need as well, one that is served may wait for some of this.
const patience = 2_500;

describe.each([
  ['TLS', true],
  ['plain HTTP', false],
])('over %s', (_, tls) => {
  test('50,000 connections of garbage leave nothing behind', async () => {
    await using application = await startApplication();
    await using proxy = await startProxyProcess({ upstream: application.url, tls, flags });
    const before = proxy.memory();
    const files = proxy.files();
    await using attackers = await attack('garbage', proxy, atATime, 50_000);
    const watched = await watch(proxy, attackers);
    expectServed(watched);
    expectBounded(watched.peak - before, passing + atATime * shakingHands);
    // Not one of them was a request.
    expect([...application.received]).toEqual(['good']);
    await proxy.idle(15_000);
    expect(proxy.files()).toBe(files);
  });
});

function expectServed({ failures, slowest, visits }: Watched): void {
  expect(failures).toEqual([]);
  expect(slowest).toBeLessThan(patience);
  expect(visits).toBeGreaterThan(5);
}

function expectBounded(bytes: number, most: number): void {
  const [grown, bound] = [bytes, most].map((each) => (each / mebibyte).toFixed(1));
  process.stdout.write(`Private MiB more than before: ${grown}, the bound is ${bound}\n`);
  expect(bytes).toBeLessThan(most);
}

function attack(kind: string, { port, ca }: ProxyProcess, count: number, inAll?: number): Promise<Peer> {
  const program = fileURLToPath(new URL('proxy/attack.ts', import.meta.url));
  const args = [program, kind, String(port), ca ? 'tls' : 'plain', String(count), ...(inAll ? [String(inAll)] : [])];
  return startPeer(process.execPath, args);
}

type Watched = {
  readonly visits: number;
  /** Milliseconds. */
  readonly slowest: number;
  readonly failures: readonly string[];
  /** Most memory at any time, in bytes. */
  readonly peak: number;
};

/** One good client after the other comes anew, for so many milliseconds or until the attackers are done. */
async function watch(proxy: ProxyProcess, end: number | Peer): Promise<Watched> {
  const begun = performance.now();
  const over = () => (typeof end === 'number' ? performance.now() > begun + end : end.stdout.includes('done'));
  const failures: string[] = [];
  let [visits, slowest, peak] = [0, 0, 0];
  await until(
    async () => {
      await visit(proxy).then(
        (milliseconds) => {
          slowest = Math.max(slowest, milliseconds);
        },
        (error: Error) => failures.push(error.message),
      );
      visits++;
      peak = Math.max(peak, proxy.memory());
      return over();
    },
    { deadline: 200_000, what: 'the end of the attack' },
  );
  return { visits, slowest, failures, peak };
}

/** How long it takes to connect, ask and be answered, without what the machine gave to others meanwhile. */
async function visit(proxy: ProxyProcess): Promise<number> {
  const waited = () => waitedForProcessor(proxy.sidecar.pid) + waitedForProcessor(process.pid);
  const [begun, waitedBefore] = [performance.now(), waited()];
  using client = await HttpClient.open(proxy);
  const { status } = await client.get('/echo/good');
  if (status !== 200) throw new Error(`A good client got ${status}`);
  return performance.now() - begun - (waited() - waitedBefore);
}
