// Applications that answer what they must not. See rows.test.ts for the list.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { until } from '@outrigger/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { badAnswers } from '../cases/answers.ts';
import { get, ok, Raw, type Serve } from '../raw.ts';
import { type Bench, give, openBench, problemOf, type Way, ways } from './ways.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench(() => undefined);
});
afterAll(() => bench[Symbol.asyncDispose]());

/** Gives the octets for the first request of each connection. */
const answering = (octets: string, way: Way): Serve => {
  const answered = new Set<Raw>();
  return (connection) => {
    if (answered.has(connection) || !connection.text.includes('\r\n\r\n')) return;
    answered.add(connection);
    void give(connection, octets, way);
  };
};

async function become(serve: Serve, way: Way): Promise<void> {
  bench.application.become(serve);
  await bench.proxyOf(way).settled();
}

async function connectionsOf(way: Way): Promise<{ readonly state: string }[]> {
  return (await (await bench.proxyOf(way).sidecar.get('/v1/connections')).json()) as { state: string }[];
}

const handshake =
  'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

describe.each(ways)('$name', (way) => {
  test.each(badAnswers)('row $row: $name: 502, and that connection is not used again', async ({ answer }) => {
    await become(answering(answer + ok, way), way);
    using client = await bench.dial(way);
    const text = await client.send(get).until('}');
    const final = text.slice(text.lastIndexOf('HTTP/1.1 5'));
    expect(final).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    expect(problemOf(final)).toMatchObject({ status: 502, code: 'PROXY_UPSTREAM_INVALID' });
    expect(text).not.toMatch(/Set-Cookie|200 OK/);
    await bench.application.connections[0]!.untilEnd();
    expect(bench.application.connections).toHaveLength(1);
  });

  test.each([
    ['of known length', 'Content-Length: 10\r\n\r\n12345', ''],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n', ''],
    ['in chunks, before a bad one,', 'Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n', 'zz\r\n'],
  ])('row 41: a body %s that breaks off leaves the client no clean end', async (_, start, rest) => {
    await become(answering(`HTTP/1.1 200 OK\r\n${start}`, way), way);
    const { records, text } = await watch(way, () => bench.application.connections[0]!.send(rest).socket.end());
    expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
    if (way.tls) expect(records).not.toContain(alert);
    else expect(records).toEqual(['reset']);
  });

  test('row 29: an answer to a wish for an upgrade that is none is relayed as it is', async () => {
    await become(answering(ok, way), way);
    using client = await bench.dial(way);
    await give(client, handshake, way);
    expect(await client.until(/ok$/)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect((await connectionsOf(way)).map(({ state }) => state)).not.toContain('tunnel');
  });

  test('row 31: a final answer before the end of the body is relayed, and both connections end', async () => {
    await become(answering('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno', way), way);
    using client = await bench.dial(way);
    await give(client, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc', way);
    expect(await client.untilEnd()).toMatch(/^HTTP\/1\.1 403 [\s\S]*\r\nConnection: close\r\n\r\nno$/);
    await bench.application.connections[0]!.untilEnd();
  });

  test('row 30: a final answer to a request whose body never came ends both connections', async () => {
    await become(answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno', way), way);
    using client = await bench.dial(way);
    await give(client, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n', way);
    expect(await client.untilEnd()).toMatch(/\r\nConnection: close\r\n\r\nno$/);
    await bench.application.connections[0]!.untilEnd();
  });

  test.each([
    ['204 with chunks', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n', ''],
    ['204 with a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello', ''],
    ['304 with chunks', 'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n', ''],
    ['304 with a body', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello', 'Content-Length: 5\r\n'],
  ])("row 45: the body of a %s is nobody's answer", async (_, response, fields) => {
    await become(answering(response, way), way);
    using client = await bench.dial(way);
    const [line] = response.split('\r\n');
    const relayed = `${line}\r\n${fields}\r\n`;
    expect(await client.send(get).until('\r\n\r\n')).toBe(relayed);
    await bench.application.connections[0]!.untilEnd();
    client.send(get);
    await until(() => client.text === relayed + relayed, { what: () => client.text });
    expect(bench.application.connections).toHaveLength(2);
  });
});

// The type of a TLS record that is an alert, as close_notify is. TLS 1.2 shows it.
const alert = 21;

/** Asks once, and tells how the proxy ended the connection: by TCP alone, or the records of TLS 1.2 that it sent. */
async function watch(way: Way, breakOff: () => void): Promise<{ records: (number | 'reset' | 'end')[]; text: string }> {
  const { port, ca } = bench.proxyOf(way);
  const wire: Buffer[] = [];
  let how: 'reset' | 'end' = 'end';
  await using tap = await forwardTo(port, (socket) =>
    socket
      .on('data', (octets: Buffer) => wire.push(octets))
      .on('error', () => {
        how = 'reset';
      }),
  );
  const socket = way.tls
    ? connectTls({ host: '127.0.0.1', port: tap.port, ca, servername: 'localhost', maxVersion: 'TLSv1.2' })
    : connect(tap.port, '127.0.0.1');
  using client = new Raw(socket);
  await once(socket, way.tls ? 'secureConnect' : 'connect');
  // In as many chunks as it came in.
  await client.send(get).until(/\r\n\r\n.*1.*2.*3.*4.*5(\r\n)?$/s);
  breakOff();
  await until(() => tap.closed(), { what: 'the proxy to end the connection' });
  return { records: way.tls ? recordTypes(Buffer.concat(wire)) : [how], text: client.text };
}

function recordTypes(wire: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at + 5 <= wire.length; at += 5 + wire.readUInt16BE(at + 3)) types.push(wire[at]!);
  return types;
}

/** A port whose one connection goes on to another, with a look at what comes back. */
async function forwardTo(port: number, look: (socket: ReturnType<typeof connect>) => unknown) {
  let closed = false;
  const server = createServer((client) => {
    const onward = connect(port, '127.0.0.1');
    look(onward);
    onward.on('close', () => {
      closed = true;
      client.destroy();
    });
    onward.on('data', (octets) => client.write(octets));
    client.on('data', (octets) => onward.write(octets)).on('error', () => onward.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    closed: () => closed,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}
