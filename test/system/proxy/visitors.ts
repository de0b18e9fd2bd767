// Clients of every kind, good and bad. Each visit ends by itself, or because the proxy ends it.

import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { below, type Random } from '@outrigger/core/testing';
import { type Answer, Broken, type ClientOptions, HttpClient, requestOf } from './client.ts';
import { bodyOf } from './flapping.ts';

export type Visitor = {
  readonly to: ClientOptions;
  readonly random: Random;
  /** A name that nobody else has. */
  name(): string;
  /** What became of a request: `whole`, `refused` or `broken`. */
  count(outcome: string): void;
  /** A response that is not what it should be. */
  wrong(what: string): void;
};
type Visit = (client: HttpClient, visitor: Visitor) => Promise<unknown>;

const host = 'Host: localhost\r\n';
const get = (size: number, name: string) => requestOf(`/${size}/${name}`);
const post = (size: number, name: string, framing: string) =>
  `POST /${size}/${name} HTTP/1.1\r\n${host}${framing}\r\n\r\n`;
const upgrade =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

const small = 1_000;
const large = 300_000;
// More than the kernel takes on its way.
const huge = 16 << 20;

/** Reads a response and judges it. Returns whether the connection may be used again. */
async function take(client: HttpClient, { count, wrong }: Visitor, name: string, size: number): Promise<boolean> {
  try {
    const { status, close, body } = await client.response();
    if (status === 200 && !body.equals(bodyOf(name, size)))
      wrong(`${name}: ${body.length} octets, ${body.subarray(0, 50)}`);
    // 408 is the application's too: what it says on an idle connection may meet a request that is on its way.
    if (status !== 200 && status !== 408 && status < 500) wrong(`${name}: ${status}`);
    count(status === 200 ? 'whole' : 'refused');
    // Good manners, and it leaves the others their turn.
    if (status !== 200) await wait(50);
    return !close;
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    count('broken');
    return false;
  }
}

/** 0 when there is no answer. */
async function statusOf(answer: Promise<Answer>): Promise<number> {
  try {
    return (await answer).status;
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    return 0;
  }
}

export const visits: Readonly<Record<string, Visit>> = {
  'asks again and again': async (client, visitor) => {
    for (let left = 1 + below(visitor.random, 20), kept = true; left > 0 && kept; left--) {
      const [name, size] = [visitor.name(), below(visitor.random, 10) === 0 ? large : small];
      kept = await take(client.send(get(size, name)), visitor, name, size);
    }
    client.socket.end();
  },
  'asks five times at once': async (client, visitor) => {
    const names = Array.from({ length: 5 }, () => visitor.name());
    client.send(names.map((name) => get(small, name)).join(''));
    for (const name of names) if (!(await take(client, visitor, name, small))) break;
  },
  'sends a body': async (client, visitor) => {
    const name = visitor.name();
    client.send(post(small, name, `Content-Length: ${large}`));
    for (let part = 0; part < 3; part++) {
      client.send(Buffer.alloc(large / 3, 'a'));
      await wait(5);
    }
    await take(client, visitor, name, small);
  },
  'sends a body in chunks': async (client, visitor) => {
    const name = visitor.name();
    client.send(post(small, name, 'Transfer-Encoding: chunked'));
    for (let part = 0; part < 5; part++) {
      client.send(`4000\r\n${'a'.repeat(0x4000)}\r\n`);
      await wait(5);
    }
    await take(client.send('0\r\n\r\n'), visitor, name, small);
  },
  'writes slowly': async (client, visitor) => {
    const name = visitor.name();
    for (const part of get(small, name).split(/(?<=\n)/)) {
      client.send(part);
      await wait(30);
    }
    await take(client, visitor, name, small);
  },
  'reads slowly': async (client, visitor) => {
    const name = visitor.name();
    client.send(get(large, name)).socket.pause();
    const reading = take(client, visitor, name, large);
    for (let left = 10; left > 0 && !client.socket.destroyed; left--) {
      client.socket.resume();
      await wait(1);
      client.socket.pause();
      await wait(50);
    }
    client.socket.resume();
    await reading;
  },
  'never reads': async (client, visitor) => {
    client.send(get(huge, visitor.name())).socket.pause();
    await wait(3_000);
  },
  'says nothing': (client) => client.untilEnd(),
  'stays after its request': async (client, visitor) => {
    const name = visitor.name();
    if (await take(client.send(get(small, name)), visitor, name, small)) await client.untilEnd();
  },
  'sends half a head': (client) => client.send(`GET / HTTP/1.1\r\n${host}`).untilEnd(),
  'sends half a body': (client, { name }) =>
    client.send(`${post(small, name(), 'Content-Length: 1000')}half`).untilEnd(),
  'resets in the middle': async (client, visitor) => {
    client.send(get(large, visitor.name()));
    await wait(below(visitor.random, 30));
    client.reset();
  },
  'resets in the middle of its body': async (client, visitor) => {
    client.send(`${post(small, visitor.name(), 'Content-Length: 1000')}half`);
    await wait(below(visitor.random, 30));
    client.reset();
  },
  'ends its side': async (client, visitor) => {
    const name = visitor.name();
    client.send(get(large, name)).socket.end();
    await take(client, visitor, name, large);
  },
  'opens a tunnel': async (client, visitor) => {
    const status = await statusOf(client.get(`/tunnel/${visitor.name()}`, upgrade));
    visitor.count(status === 101 ? 'tunnel' : 'no tunnel');
    if (status !== 101) return;
    client.send(Buffer.alloc(below(visitor.random, large), 't'));
    const ending = below(visitor.random, 4);
    if (ending === 0) client.reset();
    else if (ending === 1) client.socket.end();
    // Silence ends it too.
    await client.untilEnd();
  },
  'sends garbage': async (client) => {
    client.send('\x16\x03\x01 what is this\r\n\r\n');
    await client.untilEnd();
  },
};

/** One visit. Where no connection comes about, that is all of it. */
export async function visit(kind: string, visitor: Visitor): Promise<void> {
  using client = await open(visitor);
  if (client) await visits[kind]!(client, visitor);
}

async function open({ to, count }: Visitor): Promise<HttpClient | undefined> {
  try {
    return await HttpClient.open(to);
  } catch (error) {
    count(`no connection: ${(error as NodeJS.ErrnoException).code}`);
    return undefined;
  }
}

/** A client that is gone before TLS has begun, or in the middle of it. */
export async function leaveEarly({ to, random }: Visitor): Promise<void> {
  const socket = connect(to.port, '127.0.0.1').on('error', () => socket.destroy());
  if (below(random, 2) === 0) socket.write('\x16\x03\x01');
  await wait(below(random, 20));
  socket.resetAndDestroy();
}
