import { createHash, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { freePort, scratch, until } from '@outrigger/core/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Raw, RawApplication, type Serve } from '../raw.ts';
import { unresponsive } from '../unresponsive.ts';
import { type RunningTcp, startTcp } from './start-tcp.ts';

const MiB = 1 << 20;
const hashOf = (octets: Buffer) => createHash('sha256').update(octets).digest('hex');
const random = (length: number) => randomFillSync(Buffer.allocUnsafe(length));
const echo: Serve = (connection, arrived) => connection.send(arrived);
const listen: Serve = () => undefined;

let application: RawApplication;
beforeAll(async () => {
  application = await RawApplication.open();
});
afterAll(async () => {
  await application[Symbol.asyncDispose]();
});

/** The application's side of the connection that a client has just made. */
const accepted = async (by = application): Promise<Raw> => {
  await until(() => by.connections.length === 1, { what: 'the connection at the application' });
  return by.connections[0]!;
};

/** How much the kernel has taken from a socket, once it takes no more. */
async function untilStalled(socket: Socket): Promise<number> {
  let before = -1;
  let still = 0;
  const taken = () => socket.bytesWritten - socket.writableLength;
  await until(() => {
    still = taken() === before ? still + 1 : 0;
    before = taken();
    return still > 10;
  });
  return taken();
}

describe.each([
  ['passed through', false],
  ['with TLS terminated', true],
])('a connection %s', (_, tls) => {
  let proxy: RunningTcp;
  beforeAll(async () => {
    proxy = await startTcp({ upstream: application.url, tls });
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    application.become(listen);
    await until(async () => (await proxy.connections()).length === 0, { what: 'no connection of another test' });
  });

  test('is open at the application before the client says anything, and is listed', async () => {
    using client = await proxy.dial();
    (await accepted()).send('220 ready');
    await client.until('220 ready');
    const [listed] = await proxy.connections();
    expect(listed).toMatchObject({ client: `127.0.0.1:${client.socket.localPort}`, state: 'tunnel', unsentBytes: 0 });
  });

  test('the client ends its side, and the answer still comes', async () => {
    using client = await proxy.dial();
    client.send('all of it').socket.end();
    const connection = await accepted();
    expect(await connection.untilEnd()).toBe('all of it');
    connection.send('the answer').socket.end();
    expect(await client.untilEnd()).toBe('the answer');
    await until(() => client.closed && connection.closed);
    expect([client.error, connection.error]).toEqual([undefined, undefined]);
    await until(async () => (await proxy.connections()).length === 0);
  });

  test('the application ends its side, and the client may go on', async () => {
    using client = await proxy.dial();
    const connection = await accepted();
    connection.send('goodbye').socket.end();
    expect(await client.untilEnd()).toBe('goodbye');
    client.send('one thing').send(' more').socket.end();
    expect(await connection.untilEnd()).toBe('one thing more');
    await until(() => client.closed && connection.closed);
    expect([client.error, connection.error]).toEqual([undefined, undefined]);
  });

  test('16 MiB each way at once arrive as they were sent', async () => {
    using client = await proxy.dial();
    const connection = await accepted();
    const up = random(16 * MiB);
    const down = random(16 * MiB);
    client.send(up).socket.end();
    connection.send(down).socket.end();
    await until(() => client.ended && connection.ended, { deadline: 30_000 });
    expect(hashOf(connection.received)).toBe(hashOf(up));
    expect(hashOf(client.received)).toBe(hashOf(down));
  });

  test('tiny writes arrive in order', async () => {
    application.become(echo);
    using client = await proxy.dial();
    const octets = random(3_000);
    for (const octet of octets) {
      client.send(Buffer.from([octet]));
      if (octet < 16) await until(() => client.length > 0);
    }
    await until(() => client.length === octets.length, { what: () => `${client.length} of ${octets.length} octets` });
    expect(client.received.equals(octets)).toBe(true);
  });

  test('a reset of the client is a reset for the application', async () => {
    using client = await proxy.dial();
    client.send('half a');
    const connection = await accepted();
    await connection.until('half a');
    client.reset();
    await until(() => connection.closed);
    expect([connection.ended, connection.error?.code]).toEqual([false, 'ECONNRESET']);
  });

  test('a reset of the application is a reset for the client', async () => {
    using client = await proxy.dial();
    const connection = await accepted();
    connection.send('half a');
    await client.until('half a');
    connection.socket.resetAndDestroy();
    await until(() => client.closed);
    expect([client.ended, client.error?.code]).toEqual([false, 'ECONNRESET']);
    await until(async () => (await proxy.connections()).length === 0);
  });

  test('a reset of the application after its end is one too', async () => {
    using client = await proxy.dial();
    const connection = await accepted();
    connection.send('half a').socket.end();
    await client.untilEnd();
    connection.socket.resetAndDestroy();
    // Only who sends something hears of it.
    await until(() => {
      if (!client.closed) client.send('x');
      return client.closed;
    });
    expect(client.error?.code).toMatch(/ECONNRESET|EPIPE/);
    await until(async () => (await proxy.connections()).length === 0);
  });

  test('a client that does not read holds the application back, and loses nothing', async () => {
    using client = await proxy.dial();
    const connection = await accepted();
    client.socket.pause();
    const down = random(64 * MiB);
    connection.send(down).socket.end();
    const taken = await untilStalled(connection.socket);
    // What fits into the kernel's buffers and ours; 4 MiB to send and 6 MiB to receive is as far as Linux grows them.
    expect(taken).toBeLessThan(32 * MiB);
    const [listed] = await proxy.connections();
    expect(listed!.unsentBytes).toBeGreaterThan(0);
    expect(listed!.unsentBytes).toBeLessThan(512 * 1024);
    client.socket.resume();
    await until(() => client.ended, { deadline: 30_000 });
    expect(hashOf(client.received)).toBe(hashOf(down));
  });

  test('an application that does not read holds the client back, and loses nothing', async () => {
    using client = await proxy.dial();
    const connection = await accepted();
    connection.socket.pause();
    const up = random(64 * MiB);
    client.send(up).socket.end();
    expect(await untilStalled(client.socket)).toBeLessThan(32 * MiB);
    connection.socket.resume();
    await until(() => connection.ended, { deadline: 30_000 });
    expect(hashOf(connection.received)).toBe(hashOf(up));
  });

  test('a client that is cut off while it takes nothing does not see an end', async () => {
    using client = await proxy.dial();
    const connection = await accepted();
    client.socket.pause();
    connection.send(random(64 * MiB));
    await untilStalled(connection.socket);
    connection.socket.resetAndDestroy();
    client.socket.resume();
    await until(() => client.closed);
    expect([client.ended, client.error?.code]).toEqual([false, 'ECONNRESET']);
  });

  test('octets are counted, each way', async () => {
    const before = [await proxy.metric('received_bytes_total'), await proxy.metric('sent_bytes_total')] as const;
    using client = await proxy.dial();
    client.send('12345');
    const connection = await accepted();
    await connection.until('12345');
    connection.send('123');
    await client.until('123');
    expect((await proxy.metric('received_bytes_total')) - before[0]).toBe(5);
    expect((await proxy.metric('sent_bytes_total')) - before[1]).toBe(3);
  });
});

describe.concurrent('a time that is up', () => {
  test('silence ends a connection for both sides, and not cleanly', async () => {
    await using application = await RawApplication.open();
    await using proxy = await startTcp({ upstream: application.url, flags: ['--tunnel-timeout', '300ms'] });
    using client = await proxy.dial();
    const connection = await accepted(application);
    await until(() => client.closed && connection.closed);
    expect([client.ended, connection.ended]).toEqual([false, false]);
    expect(await proxy.connections()).toEqual([]);
  });

  test('a connection on which something moves, either way, goes on', async () => {
    await using application = await RawApplication.open();
    await using proxy = await startTcp({ upstream: application.url, flags: ['--tunnel-timeout', '600ms'] });
    using client = await proxy.dial();
    const connection = await accepted(application);
    const started = performance.now();
    for (let i = 0; performance.now() - started < 2_000; i++) {
      const [from, to] = i % 2 ? [client, connection] : [connection, client];
      const { length } = to;
      from.send('x');
      await until(() => to.length === length + 1 || to.closed);
      // The time between two octets is what this is about.
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect([client.closed, connection.closed]).toEqual([false, false]);
  });

  test('a client that has ended waits for a silent application as long as for an answer', async () => {
    await using application = await RawApplication.open();
    await using proxy = await startTcp({ upstream: application.url, flags: ['--upstream-timeout', '300ms'] });
    using client = await proxy.dial();
    using patient = await proxy.dial();
    client.socket.end();
    await until(() => client.closed);
    expect(client.ended).toBe(false);
    expect(patient.closed).toBe(false);
  });

  test('an application that has ended waits for a silent client as long as for a request', async () => {
    await using application = await RawApplication.open();
    await using proxy = await startTcp({ upstream: application.url, flags: ['--client-timeout', '300ms'] });
    using client = await proxy.dial();
    const connection = await accepted(application);
    connection.socket.end();
    await client.untilEnd();
    await until(() => connection.closed);
    expect(connection.error?.code).toBe('ECONNRESET');
    expect(await proxy.connections()).toEqual([]);
  });
});

test.concurrent('a client is cut off when the application is down, and served when it is back', async () => {
  const port = await freePort();
  await using proxy = await startTcp({ upstream: `http://127.0.0.1:${port}` });
  for (let i = 0; i < 3; i++) {
    // The reset may come before the connection is known to be there.
    using client = new Raw(connect({ host: '127.0.0.1', port: proxy.port }));
    client.send('anyone?');
    await until(() => client.closed);
    expect(client.ended).toBe(false);
  }
  expect(await proxy.metric('upstream_errors_total{reason="connect"}')).toBe(3);
  expect(proxy.sidecar.logs().filter(({ code }) => code === 'PROXY_UPSTREAM_DOWN')).toHaveLength(1);
  await using back = await RawApplication.open(echo, port);
  using client = await proxy.dial();
  await client.send('anyone?').until('anyone?');
  expect(back.connections).toHaveLength(1);
});

test.concurrent('an application whose queue is full is given up after the time to connect', async () => {
  // A backlog of one that nobody takes from: the kernel ignores further connections.
  await using full = await unresponsive();
  await using proxy = await startTcp({ upstream: full.url, flags: ['--upstream-connect-timeout', '400ms'] });
  using client = await proxy.dial();
  client.send('anyone?');
  const [listed] = await until(async () => {
    const list = await proxy.connections();
    return list.length > 0 && list;
  });
  expect(listed!.state).toBe('active');
  await until(() => client.closed);
  expect(client.ended).toBe(false);
  expect(await proxy.metric('upstream_errors_total{reason="timeout"}')).toBe(1);
});

test.concurrent('a unix socket is an address like any other, with ends of each side', async () => {
  await using directory = await scratch();
  const path = directory.join('app.sock');
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(path);
  await once(server, 'listening');
  try {
    await using proxy = await startTcp({ upstream: `unix:${path}` });
    using client = await proxy.dial();
    const octets = random(MiB);
    client.send(octets).socket.end();
    await client.untilEnd();
    expect(hashOf(client.received)).toBe(hashOf(octets));
    using rude = await proxy.dial();
    await rude.send('x').until('x');
    rude.reset();
    await until(async () => (await proxy.connections()).length === 0);
  } finally {
    server.close();
  }
});

describe.concurrent('after SIGTERM', () => {
  test('connections go on for their grace, then both sides are ended', async () => {
    await using application = await RawApplication.open(echo);
    await using proxy = await startTcp({ upstream: application.url, flags: ['--tunnel-grace', '1s'] });
    using client = await proxy.dial();
    await client.send('before').until('before');
    const connection = await accepted(application);
    proxy.sidecar.kill('SIGTERM');
    await until(() => proxy.sidecar.logs().some(({ code }) => code === 'PROXY_DRAIN'));
    await client.send('after').until('after');
    await until(() => client.ended && connection.ended);
    client.socket.end();
    connection.socket.end();
    await until(() => client.closed && connection.closed);
    expect([client.error, connection.error]).toEqual([undefined, undefined]);
    expect(await proxy.sidecar.exited).toMatchObject({ code: 0 });
  });

  test('whoever does not agree that it is over does not hold up the end', async () => {
    await using application = await RawApplication.open(echo);
    await using proxy = await startTcp({ upstream: application.url, flags: ['--tunnel-grace', '0s'] });
    using client = await proxy.dial();
    await client.send('before').until('before');
    proxy.sidecar.kill('SIGTERM');
    await client.untilEnd();
    client.send('never ending');
    expect(await proxy.sidecar.exited).toMatchObject({ code: 0 });
  });

  test('one whose application is not there yet ends, which is no fault of the application', async () => {
    await using full = await unresponsive();
    const flags = ['--tunnel-grace', '200ms', '--upstream-connect-timeout', '60s'];
    await using proxy = await startTcp({ upstream: full.url, flags });
    using client = await proxy.dial();
    await until(async () => (await proxy.connections())[0]?.state === 'active');
    proxy.sidecar.kill('SIGTERM');
    await until(() => client.closed);
    expect(await proxy.sidecar.exited).toMatchObject({ code: 0 });
    expect(proxy.sidecar.logs().map(({ code }) => code)).not.toContain('PROXY_UPSTREAM_TIMEOUT');
  });

  test('a connection that ends by itself ends the wait', async () => {
    await using application = await RawApplication.open(echo);
    await using proxy = await startTcp({ upstream: application.url, flags: ['--tunnel-grace', '30s'] });
    using client = await proxy.dial();
    await client.send('before').until('before');
    const connection = await accepted(application);
    proxy.sidecar.kill('SIGTERM');
    client.socket.end();
    await connection.untilEnd();
    connection.socket.end();
    expect(await proxy.sidecar.exited).toMatchObject({ code: 0 });
  });
});

test('resets at every moment, on either side, leave no connection and no file descriptor behind', async () => {
  application.become(echo);
  await using proxy = await startTcp({ upstream: application.url });
  const descriptors = async () => (await readdir(`/proc/${proxy.sidecar.pid}/fd`)).length;
  const one = await proxy.dial();
  await one.send('x').until('x');
  one.reset();
  await until(async () => (await proxy.connections()).length === 0);
  const before = await descriptors();
  for (let i = 0; i < 100; i++) {
    application.become((connection, arrived) => {
      connection.send(arrived);
      if (i % 4 === 1) connection.socket.resetAndDestroy();
      else if (i % 4 === 2) connection.socket.end(() => connection.socket.resetAndDestroy());
    });
    const client = await proxy.dial();
    client.send(random(1 + ((i * 7_919) % 100_000)));
    if (i % 4 === 0) client.reset();
    else if (i % 4 === 3) client.socket.end(() => client.reset());
    await until(() => client.closed || client.ended, { what: `the end of connection ${i}` });
    client.socket.destroy();
  }
  application.become(listen);
  await until(async () => (await proxy.connections()).length === 0);
  expect(await descriptors()).toBeLessThanOrEqual(before + 2);
});
