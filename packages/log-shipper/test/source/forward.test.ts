import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { EventTime, FluentClient } from '@fluent-org/logger';
import {
  checkPong,
  decode,
  encode,
  generatePing,
  type HeloMessage,
  type PongMessage,
} from '@fluent-org/logger/build/src/protocol.js';
import { makeAddress, Secret } from '@outrigger/core';
import { scratch, until } from '@outrigger/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encoded } from '../../src/encoding/msgpack.ts';
import { forward } from '../../src/source/forward.ts';
import { MsgpackReader } from '../../src/source/msgpack-reader.ts';
import { MsgpackScan } from '../../src/source/msgpack-scan.ts';
import { contentOf, openPushed, type Settings, startPushed } from './pushed.ts';

const address = makeAddress('127.0.0.1', 0);
const open = (given = {}, settings: Settings = {}) => openPushed(forward, { address, ...given }, settings);
const portOf = (listening: string) => Number(/:(\d+)$/.exec(listening)![1]);

/** A sender that says bytes and keeps what it is answered. */
class Sender implements AsyncDisposable {
  readonly socket: Socket;
  answers: Buffer = Buffer.alloc(0);
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => socket.destroy());
    socket.on('data', (data: Buffer) => {
      this.answers = Buffer.concat([this.answers, data]);
    });
  }

  static async dial(listening: string): Promise<Sender> {
    const socket = connect(portOf(listening), '127.0.0.1');
    await once(socket, 'connect');
    return new Sender(socket);
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  answered(length: number): Promise<Buffer> {
    const what = () => `${length} bytes, there are ${this.answers.length}`;
    return until(() => this.answers.length >= length && this.answers, { what });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
  }
}

const dial = Sender.dial;

const array = (...parts: Buffer[]) => Buffer.concat([Buffer.of(0x90 | parts.length), ...parts]);
const bin = (bytes: Buffer) => {
  const head = Buffer.alloc(5);
  head[0] = 0xc6;
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
};
const eventTime = (seconds: number, nanos: number, head = Buffer.of(0xd7, 0)) => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(seconds);
  bytes.writeUInt32BE(nanos, 4);
  return Buffer.concat([head, bytes]);
};
const entry = (log: string, time = encoded(1700000000)) => array(time, encoded({ log }));
const packed = (entries: readonly Buffer[], option: object = {}) =>
  array(encoded('app'), bin(Buffer.concat(entries)), encoded(option));
const ack = (chunk: string) => encoded({ ack: chunk });

test('all four modes, as a client of the library sends them, each acknowledged', async () => {
  for (const eventMode of ['Message', 'Forward', 'PackedForward', 'CompressedPackedForward'] as const) {
    await using pushed = await open();
    const client = new FluentClient('app', {
      eventMode,
      socket: { host: '127.0.0.1', port: portOf(pushed.source.listening!), timeout: -1 },
      ack: { ackTimeout: 10_000 },
    });
    const time = new EventTime(1700000000, 123456789);
    await Promise.all([1, 2, 3].map((id) => client.emit('x', { log: `line ${id}`, id }, time)));
    // The queue had it before the client was told.
    expect(await pushed.read()).toEqual(
      [1, 2, 3].map((id) => ({
        time: '1700000000.123456789',
        level: 0,
        tag: 'app.x',
        fields: { log: `line ${id}`, id },
      })),
    );
    await client.disconnect();
  }
});

test('gzip in several members, zstd, entries as str, times of every kind, metadata, heartbeats', async () => {
  await using pushed = await open();
  await using sender = await dial(pushed.source.listening!);
  const two = [entry('one'), entry('two')];
  sender.write(Buffer.of(0xc0));
  sender.write(packed([Buffer.concat(two.map((each) => gzipSync(each)))], { compressed: 'gzip', size: 2, chunk: 'a' }));
  sender.write(packed([zstdCompressSync(entry('three'))], { compressed: 'zstd', chunk: 'b' }));
  const asText = entry('four');
  sender.write(array(encoded('app'), Buffer.concat([Buffer.of(0xd9, asText.length), asText])));
  const times = [
    encoded(1700000001),
    encoded(1700000001.25),
    eventTime(1700000001, 5),
    eventTime(1700000001, 6, Buffer.of(0xc7, 8, 0)),
    array(eventTime(1700000001, 7), encoded({ host: 'h' })),
    array(eventTime(1700000001, 8), encoded({})),
  ];
  sender.write(packed(times.map((time, index) => entry(`time ${index}`, time))));
  sender.write(array(encoded('app'), encoded(1700000002), encoded({ log: 'message' }), encoded({ chunk: 'c' })));
  sender.write(packed([], { chunk: 'd' }));
  await pushed.lines(11);
  const expected = Buffer.concat(['a', 'b', 'c', 'd'].map(ack));
  expect(await sender.answered(expected.length)).toEqual(expected);
  const records = await pushed.read();
  expect(records.map(({ fields }) => fields.log)).toEqual([
    ...['one', 'two', 'three', 'four'],
    ...times.map((_, index) => `time ${index}`),
    'message',
  ]);
  expect(records.slice(4, 10).map(({ time }) => time)).toEqual([
    '1700000001.000000000',
    '1700000001.250000000',
    ...[5, 6, 7, 8].map((nanos) => `1700000001.00000000${nanos}`),
  ]);
  expect(records[8]!.fields.metadata).toEqual({ host: 'h' });
  expect(records[9]!.fields.metadata).toBe(undefined);
});

test('an acknowledgement is what the sender said, byte for byte', async () => {
  await using pushed = await open();
  await using sender = await dial(pushed.source.listening!);
  // Base64 with a newline behind it as Fluentd sends it, 300 bytes, no UTF-8, and a form longer than it need be.
  const chunks = [
    encoded('p8n9gmxTQVC8/nh2wlKKeQ==\n'),
    encoded('x'.repeat(300)),
    Buffer.of(0xa2, 0xff, 0xfe),
    Buffer.of(0xdb, 0, 0, 0, 1, 0x61),
  ];
  for (const chunk of chunks)
    sender.write(array(encoded('app'), bin(entry('x')), Buffer.concat([Buffer.of(0x81), encoded('chunk'), chunk])));
  const expected = Buffer.concat(chunks.map((chunk) => Buffer.concat([Buffer.of(0x81), encoded('ack'), chunk])));
  expect(await sender.answered(expected.length)).toEqual(expected);
});

test('values: digits that a double would lose, bin, ext, keys that are no strings, __proto__', async () => {
  await using pushed = await open();
  await using sender = await dial(pushed.source.listening!);
  const fields = Buffer.concat([
    Buffer.of(0x87),
    ...[encoded('big'), Buffer.from('cfffffffffffffffff', 'hex')],
    ...[encoded('small'), Buffer.from('d38000000000000000', 'hex')],
    ...[encoded('bin'), Buffer.of(0xc4, 2, 0x68, 0x69)],
    ...[encoded('ext'), Buffer.of(0xd4, 5, 0xff)],
    ...[encoded('float'), Buffer.from('ca3fc00000', 'hex')],
    ...[encoded(7), encoded([null, true, -5, 1.5])],
    ...[encoded('__proto__'), encoded('own')],
  ]);
  sender.write(array(encoded('app'), encoded(1), fields));
  await until(async () => (await pushed.read()).length === 1);
  expect(JSON.stringify((await pushed.read())[0]!.fields)).toBe(
    '{"7":[null,true,-5,1.5],"big":18446744073709551615,"small":-9223372036854775808,"bin":"hi","ext":"/w==","float":1.5,"__proto__":"own"}',
  );
});

test('cut anywhere and merged, messages are the same', async () => {
  await using pushed = await open();
  const whole = Buffer.concat(
    Array.from({ length: 60 }, (_, index) => packed([entry(`line ${index}`)], { chunk: `c${index}` })),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(whole.length), { maxLength: 40 }), async (cuts) => {
      await using sender = await dial(pushed.source.listening!);
      sender.socket.setNoDelay(true);
      const before = (await pushed.read()).length;
      let from = 0;
      for (const to of [...cuts.toSorted((a, b) => a - b), whole.length]) {
        sender.write(whole.subarray(from, to));
        from = to;
        await turn();
      }
      const lines = await pushed.lines(before + 60);
      expect(lines.slice(before)).toEqual(Array.from({ length: 60 }, (_, index) => `line ${index}`));
    }),
    { numRuns: 15 },
  );
});

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'grapheme', maxLength: 50 }),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('any'), { maxLength: 20 }),
    fc.dictionary(fc.string({ maxLength: 10 }), tie('any'), { maxKeys: 20, noNullPrototype: true }),
  ),
})).any;

test('what is encoded is decoded, and its end is found as soon as its last byte has come and no sooner', () =>
  fc.assert(
    fc.property(value, fc.uint8Array({ maxLength: 10 }), (any, behind) => {
      const bytes = Buffer.concat([encoded(any), behind]);
      const { length } = encoded(any);
      expect(JSON.stringify(new MsgpackReader(bytes).value())).toBe(JSON.stringify(any));
      const scan = new MsgpackScan(1_000_000);
      for (let filled = 0; filled < length; filled++) expect(scan.end(bytes, filled)).toBe(undefined);
      expect(scan.end(bytes, bytes.length)).toBe(length);
    }),
    { numRuns: 500 },
  ));

test('whatever bytes come, decoding ends with a value or an error', () =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (any) => {
      const bytes = Buffer.from(any);
      try {
        const end = new MsgpackScan(1000).end(bytes, bytes.length);
        if (end !== undefined) {
          const reader = new MsgpackReader(bytes);
          reader.value();
          expect(reader.at).toBe(end);
        }
      } catch (error) {
        expect((error as Error).message).toMatch(/Not msgpack|ends too soon|more than|deep/);
      }
    }),
    { numRuns: 2000 },
  ));

test('lengths that nobody means cost no memory, and their senders are let go', async () => {
  await using pushed = await open();
  const before = process.memoryUsage().arrayBuffers;
  const hostile = {
    'a bin of 4 GB': array(encoded('app'), Buffer.of(0xc6, 0xff, 0xff, 0xff, 0xff)),
    'an array of 4 billion': Buffer.concat([Buffer.of(0x92), encoded('app'), Buffer.of(0xdd, 0xff, 0xff, 0xff, 0xff)]),
    'another protocol': Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    'no msgpack': Buffer.of(0x92, 0xc1),
    'a map': encoded({ log: 'x' }),
    'arrays in arrays': Buffer.alloc(5000, 0x91),
    'a part missing': array(encoded('app'), encoded(1)),
    brotli: packed([entry('x')], { compressed: 'br' }),
    'no gzip': packed([entry('x')], { compressed: 'gzip' }),
    'a bomb': packed([gzipSync(Buffer.alloc(100_000_000))], { compressed: 'gzip' }),
    metrics: packed([entry('x')], { fluent_signal: 1 }),
  };
  for (const [name, bytes] of Object.entries(hostile)) {
    await using sender = await dial(pushed.source.listening!);
    sender.write(bytes);
    if (name.startsWith('an array'))
      for (let sent = 0; sent < 200 && !sender.socket.destroyed; sent++) {
        sender.write(Buffer.alloc(100_000, 0xc0));
        await turn();
      }
    await sender.closed;
    expect([name, sender.answers.length]).toEqual([name, 0]);
  }
  expect(await pushed.read()).toEqual([]);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60_000_000);
  await using sender = await dial(pushed.source.listening!);
  sender.write(packed([entry('fine')]));
  expect(await pushed.lines(1)).toEqual(['fine']);
});

test('an entry that cannot be decoded goes as it is, once: not to acknowledge it would bring it back for ever', async () => {
  await using pushed = await open();
  await using sender = await dial(pushed.source.listening!);
  sender.write(packed([entry('one'), array(encoded(1), encoded('no map')), entry('behind')], { chunk: 'a' }));
  expect(await sender.answered(ack('a').length)).toEqual(ack('a'));
  const [one, other] = await pushed.read();
  expect(one!.fields).toEqual({ log: 'one' });
  expect(other!.fields).toMatchObject({ parse_error: 'A record that is no map' });
  expect(Buffer.from(String(other!.fields.log), 'base64').toString('latin1')).toContain('behind');
});

type Words = { hostname?: string; key?: string; username?: string; password?: string };

/** What the library's own side of the protocol makes of it. */
async function introduce(
  sender: Sender,
  { hostname = 'client', key = 'key', username = 'bob', password = 'two' }: Words,
) {
  const [, { nonce, auth }] = decode(await sender.answered(50)) as HeloMessage;
  const sharedKey = { key, nonce, salt: 'salt' };
  const { length } = sender.answers;
  sender.write(Buffer.from(encode(generatePing(hostname, sharedKey, { username, password, salt: auth ?? '' }))));
  await sender.answered(length + 10);
  checkPong(decode(sender.answers.subarray(length)) as PongMessage, hostname, sharedKey);
}

test('who may send: shared key and users, each told why not', async () => {
  await using pushed = await open({
    sharedKey: Secret.of('key'),
    users: Secret.of('ann:one bob:two'),
    hostname: 'server',
  });
  const wrong: [Words, string][] = [
    [{ key: 'other' }, 'shared_key mismatch'],
    [{ password: 'one' }, 'username/password mismatch'],
    [{ username: 'eve', password: '' }, 'username/password mismatch'],
    [{ username: '', password: '' }, 'username/password mismatch'],
    [{ hostname: 'server' }, 'ame hostname'],
  ];
  for (const [words, reason] of wrong) {
    await using sender = await dial(pushed.source.listening!);
    await expect(introduce(sender, words)).rejects.toThrow(reason);
    await sender.closed;
  }
  // Before it has shown who it is, nobody is listened to.
  await using stranger = await dial(pushed.source.listening!);
  stranger.write(packed([entry('sneaked in')]));
  await stranger.closed;
  await using sender = await dial(pushed.source.listening!);
  await introduce(sender, {});
  sender.write(packed([entry('by hand')]));
  expect(await pushed.lines(1)).toEqual(['by hand']);
  const client = new FluentClient('app', {
    socket: { host: '127.0.0.1', port: portOf(pushed.source.listening!), timeout: -1 },
    ack: { ackTimeout: 10_000 },
    security: { clientHostname: 'client', sharedKey: 'key', username: 'ann', password: 'one' },
  });
  await client.emit('x', { log: 'by the library' });
  await client.disconnect();
  expect(await pushed.lines(2)).toEqual(['by hand', 'by the library']);
});

test('a full queue: no acknowledgement until there is room, and then all of them', async () => {
  await using pushed = await open({}, { limit: 300_000 });
  await using sender = await dial(pushed.source.listening!);
  for (let id = 0; id < 100; id++) sender.write(packed([entry('x'.repeat(10_000))], { chunk: `${id}` }));
  await until(() => pushed.source.troubles.length === 1);
  const all = Buffer.concat(Array.from({ length: 100 }, (_, id) => ack(`${id}`)));
  expect(sender.answers.length).toBeLessThan(all.length);
  await pushed.lines(100);
  expect(await sender.answered(all.length)).toEqual(all);
});

test('killed at any moment, whatever was acknowledged is in the queue', async () => {
  await using directory = await scratch();
  const queue = directory.join('spool');
  const acknowledged: string[] = [];
  let next = 0;
  for (const moment of [1, 500]) {
    await using peer = await startPushed('forward', queue, { address });
    const senders = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const sender = await dial(peer.listening);
        const sent: string[] = [];
        for (let count = 0; count < 1000; count++) {
          sent.push(`line ${next}`);
          sender.write(packed([entry(`line ${next++}`)], { chunk: 'abcd' }));
        }
        return { sender, sent };
      }),
    );
    const { length } = ack('abcd');
    const had = ({ sender }: (typeof senders)[number]) => Math.floor(sender.answers.length / length);
    await until(() => senders.reduce((sum, each) => sum + had(each), 0) >= moment);
    peer.kill('SIGKILL');
    await peer.exited;
    for (const each of senders) {
      acknowledged.push(...each.sent.slice(0, had(each)));
      each.sender.socket.destroy();
    }
  }
  expect(acknowledged.length).toBeGreaterThan(500);
  const there = new Set((await contentOf(queue)).map(({ fields }) => fields.log));
  expect(acknowledged.filter((line) => !there.has(line))).toEqual([]);
});

test('stopped by SIGSTOP and continued, it goes on where it was: nothing is lost and nothing comes twice', async () => {
  await using directory = await scratch();
  const queue = directory.join('spool');
  await using peer = await startPushed('forward', queue, { address });
  await using sender = await dial(peer.listening);
  sender.write(packed([entry('before')], { chunk: 'a' }));
  await sender.answered(ack('a').length);
  peer.kill('SIGSTOP');
  for (let id = 0; id < 100; id++) sender.write(packed([entry(`line ${id}`)], { chunk: 'a' }));
  // Taken by the kernel, and answered by nobody.
  await until(() => sender.socket.writableLength === 0);
  expect(sender.answers.length).toBe(ack('a').length);
  peer.kill('SIGCONT');
  await sender.answered(101 * ack('a').length);
  const lines = (await contentOf(queue)).map(({ fields }) => fields.log);
  expect(lines).toEqual(['before', ...Array.from({ length: 100 }, (_, id) => `line ${id}`)]);
});
