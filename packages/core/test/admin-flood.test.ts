// What anybody on the Pod's network can send to the admin listener in size and number: the answer, and the memory it costs.

import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { limits } from '../src/admin/limits.ts';
import { until } from '../src/testing/index.ts';
import { openSockets } from './support/process-figures.ts';
import { connectMany, connectRaw, get, own, request, say, statuses } from './support/raw-client.ts';
import { mostMegabytes, useVictim } from './support/victim.ts';

const victim = useVictim();

describe('sizes', () => {
  test.each([
    ['a header of 1 MB', () => get('/livez', `x: ${'a'.repeat(1_000_000)}`)],
    [
      '100,000 headers',
      () => get('/livez', Array.from({ length: 100_000 }, (_, index) => `x-${index}: a`).join('\r\n')),
    ],
    ['100,000 headers of one name', () => get('/livez', Array(100_000).fill('cookie: a=b').join('\r\n'))],
    ['a path of 1 MB', () => get(`/${'a'.repeat(1_000_000)}`)],
  ])('%s gets 431', async (_, bytes) => {
    expect(statuses(await say(victim.sidecar.url, bytes()))).toEqual([431]);
    expect(victim.grown()).toBeLessThan(mostMegabytes);
  });

  const json = 'Content-Type: application/json';
  test.each([
    ['with its length', 'POST /v1/items', [json, `Content-Length: ${2 ** 30}`], 413],
    ['in chunks', 'POST /v1/items', [json, 'Transfer-Encoding: chunked'], 413],
    ['for a route that takes none', 'POST /v1/parameters/reload', [`Content-Length: ${2 ** 30}`], 200],
    ['for no route', 'POST /nothing', ['Transfer-Encoding: chunked'], 404],
    ['with a probe', 'GET /livez', [`Content-Length: ${2 ** 30}`], 200],
  ])('a body of 1 GB %s is not taken, and the connection closed', async (_, line, headers, status) => {
    using client = await connectRaw(victim.sidecar.url);
    client.socket.write(request(line, ...headers));
    const sent = await pour(
      client.socket,
      headers.some((each) => each.endsWith('chunked')),
      2 ** 30,
    );
    expect(statuses(await client.rest())).toEqual([status]);
    expect(sent).toBeLessThan(2 ** 30);
    expect(victim.grown()).toBeLessThan(mostMegabytes);
  });

  test('a body of exactly what is allowed is taken', async () => {
    const text = JSON.stringify({ name: 'x', price: 1 }).padEnd(limits.bodyBytes);
    const taken = await say(
      victim.sidecar.url,
      `${request('POST /v1/items', json, `Content-Length: ${text.length}`)}${text}`,
    );
    expect(statuses(taken)).toEqual([201]);
    const more = request('POST /v1/items', json, `Content-Length: ${text.length + 1}`);
    expect(statuses(await say(victim.sidecar.url, `${more}${text} `))).toEqual([413]);
  });

  test('300 bodies that stop before their end cost bounded memory', async () => {
    using many = await connectMany(victim.sidecar.url, 300);
    const unfinished = Buffer.alloc(limits.bodyBytes - 1, ' ');
    for (const { socket } of many.clients) {
      socket.write(request('POST /v1/items', json, `Content-Length: ${limits.bodyBytes}`));
      socket.write(unfinished);
    }
    const refused = () => many.clients.filter(({ received, closed }) => closed || statuses(received)[0] === 503);
    await until(() => refused().length > 250, { what: 'most to be refused' });
    expect((await victim.sidecar.get('/readyz')).status).toBe(200);
    expect(victim.grown()).toBeLessThan(mostMegabytes);
  });
});

describe('numbers', () => {
  test('5,000 pipelined probes are all answered, in bounded memory', async () => {
    using client = await connectRaw(victim.sidecar.url);
    client.socket.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(4_999));
    client.socket.write(get('/readyz'));
    expect(statuses(await client.rest())).toEqual(Array(5_000).fill(200));
    expect(victim.grown()).toBeLessThan(mostMegabytes);
  });

  test('thousands of pipelined requests behind one that never ends are cut off, others are answered', async () => {
    using client = await connectRaw(victim.sidecar.url);
    const name = (index: number) => `GET /v1/names/n${index} HTTP/1.1\r\nHost: a\r\n\r\n`;
    client.socket.write(
      `GET /v1/slow HTTP/1.1\r\nHost: a\r\n\r\n${Array.from({ length: 5_000 }, (_, n) => name(n)).join('')}`,
    );
    expect(await client.rest()).toBe('');
    expect((await victim.sidecar.get('/livez')).status).toBe(200);
    expect(victim.grown()).toBeLessThan(mostMegabytes);
  });

  test.each([
    ['answers that take their time', 20, 'GET /metrics'],
    ['one that never comes', 500, 'GET /v1/slow'],
    ['an event stream', 60, 'GET /v1/events'],
    ['a refusal', 500, 'GET *'],
  ])('2,000 requests each of many clients that do not read, behind %s, cost bounded memory', async (_, count, line) => {
    using many = await connectMany(victim.sidecar.url, count);
    const head = ' HTTP/1.1\r\nHost: a\r\n\r\n';
    const flood = `${line}${head}${`GET /metrics${head}`.repeat(2_000)}`;
    await Promise.all(many.clients.map(({ socket }) => new Promise((sent) => socket.pause().write(flood, sent))));
    // Its turn comes after all of them have been looked at.
    expect(statuses(await say(victim.sidecar.url, get('/readyz')))).toEqual([200]);
    expect(victim.grown()).toBeLessThan(mostMegabytes);
  });

  test('pipelined requests are answered in their order, fast and slow ones alike', async () => {
    using client = await connectRaw(victim.sidecar.url);
    const targets = ['/v1/names/a', '/livez', '/v1/items/7', '/readyz', '/metrics', '/startupz', '/v1/names/b'];
    client.socket.write(
      targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).join('') + get('/nothing'),
    );
    const answer = await client.rest();
    expect(statuses(answer)).toEqual([...targets.map(() => 200), 404]);
    expect(answer).toMatch(/"a".*ok\n.*"id":7.*ok\n.*outrigger_build_info.*ok\n.*"b".*NOT_FOUND/s);
  });

  test('beside 10,000 idle connections, probes are answered and memory and sockets stay bounded', async () => {
    using idle = await connectMany(victim.sidecar.url, 10_000);
    for (let probe = 0; probe < 20; probe++)
      expect(statuses(await say(victim.sidecar.url, get('/readyz')))).toEqual([200]);
    expect(openSockets(victim.sidecar.pid)).toBeLessThan(limits.connections + 50);
    expect(victim.grown()).toBeLessThan(mostMegabytes);
    // Those who came last are still there.
    await until(() => idle.clients.filter(({ closed }) => closed).length >= 10_000 - limits.connections);
    expect(idle.clients.at(-1)?.closed).toBe(false);
  });

  test('beside thousands of heads that do not end, probes are answered and an event stream goes on', async () => {
    using stream = await connectRaw(victim.sidecar.url);
    stream.socket.write(`GET /v1/events HTTP/1.1\r\nHost: ${own}\r\n\r\n`);
    await until(() => stream.received.includes('event: started'));
    using slow = await connectMany(victim.sidecar.url, 3_000);
    for (const { socket } of slow.clients) socket.write(`GET /livez HTTP/1.1\r\nx: ${'a'.repeat(4_000)}`);
    for (let probe = 0; probe < 20; probe++)
      expect(statuses(await say(victim.sidecar.url, get('/readyz')))).toEqual([200]);
    expect(stream.closed).toBe(false);
    expect(victim.grown()).toBeLessThan(mostMegabytes);
  });

  test('of 1,000 probes at the same time, each on a connection of its own, all are answered', async () => {
    using many = await connectMany(victim.sidecar.url, 1_000);
    for (const { socket } of many.clients) socket.write('GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => many.clients.every(({ received }) => received.endsWith('ok\n')), { what: '1,000 answers' });
    expect(many.clients.some(({ closed }) => closed)).toBe(false);
  });
});

describe('peers that go', () => {
  test('one that sends no more after its request is answered', async () => {
    using client = await connectRaw(victim.sidecar.url);
    client.socket.end(`GET /v1/names/a HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(statuses(await client.rest())).toEqual([200]);
  });

  test('one that goes in the middle of its head or body is forgotten', async () => {
    const before = openSockets(victim.sidecar.pid);
    const body = request('POST /v1/items', 'Content-Type: application/json', 'Content-Length: 100');
    for (const part of ['', 'GET /liv', get('/livez').slice(0, -2), `${body}{"name`])
      for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
        using client = await connectRaw(victim.sidecar.url);
        await new Promise((resolve) => client.socket.write(part || '\r\n', resolve));
        client.socket[leave]();
        await until(() => client.closed);
      }
    await until(() => openSockets(victim.sidecar.pid) <= before);
  });

  test('one that goes while its handler works aborts it', async () => {
    const untilWaiting = (count: number) =>
      until(async () => (await (await victim.sidecar.get('/v1/waiting')).json()) === count, {
        what: `${count} handlers at work`,
      });
    using many = await connectMany(victim.sidecar.url, 50);
    for (const { socket } of many.clients) socket.write(get('/v1/slow'));
    await untilWaiting(50);
    many[Symbol.dispose]();
    await untilWaiting(0);
  });
});

/** Sends a body until all of it is sent or the other side has closed. Returns how many bytes were handed to the kernel. */
async function pour(socket: Socket, chunked: boolean, bytes: number): Promise<number> {
  const block = Buffer.alloc(64 * 1024, 'a');
  const chunk = chunked ? Buffer.concat([Buffer.from('10000\r\n'), block, Buffer.from('\r\n')]) : block;
  for (let sent = 0; sent < bytes && socket.writable; sent += block.length)
    if (!socket.write(chunk))
      await new Promise<void>((resolve) => {
        const go = () => {
          socket.off('drain', go).off('close', go);
          resolve();
        };
        socket.once('drain', go).once('close', go);
      });
  return socket.bytesWritten;
}
