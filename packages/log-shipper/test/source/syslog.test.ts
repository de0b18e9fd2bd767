import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { makeAddress } from '@outrigger/core';
import { missingPrograms, scratch, until } from '@outrigger/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readSyslog } from '../../src/parser/syslog.ts';
import { Unfinished } from '../../src/source/line-stream.ts';
import { syslog } from '../../src/source/syslog.ts';
import { SyslogStream } from '../../src/source/syslog-framing.ts';
import { contentOf, openPushed, type Settings, startPushed } from './pushed.ts';

const tcpAddress = makeAddress('127.0.0.1', 0);
const udpAddress = tcpAddress;
const open = (given: object = { tcpAddress }, settings: Settings = {}) => openPushed(syslog, { ...given }, settings);
const portOf = (listening: string) => Number(/:(\d+)$/.exec(listening)![1]);

async function dial(listening: string): Promise<Socket> {
  const socket = connect(portOf(listening), '127.0.0.1');
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

const counted = (message: string) => `${Buffer.byteLength(message)} ${message}`;
const message = (id: number) => `<34>1 2026-11-21T22:14:15.003Z host app - ID47 - line ${id} größer`;

test('both framings on one connection, messages that hold newlines, and what ends them', async () => {
  await using pushed = await open();
  const socket = await dial(pushed.source.listening!);
  socket.end(
    [
      counted('<13>one\ntwo'),
      '<13>three\n',
      counted('<13>four\r\n'),
      counted('<13>five\0'),
      '<13>six\r\n',
      '\n\n',
      '2026 is no count\n',
      '123456789 is none either\n',
      counted('<13>seven'),
      '<13>eight without an end',
    ].join(''),
  );
  expect(await pushed.lines(9)).toEqual([
    '<13>one\ntwo',
    '<13>three',
    '<13>four',
    '<13>five',
    '<13>six',
    '2026 is no count',
    '123456789 is none either',
    '<13>seven',
    '<13>eight without an end',
  ]);
});

/** The stream by itself: what it makes of pieces. */
async function framed(pieces: readonly Buffer[], lineLimit = 1000) {
  const taken: string[] = [];
  const partial: boolean[] = [];
  const intake = {
    lineLimit,
    messages: async (messages: readonly Buffer[], _: unknown, goOn: readonly number[]) => {
      messages.forEach((each, index) => {
        taken.push(each.toString());
        partial.push(goOn.includes(index));
      });
      return 'safe';
    },
  };
  const stream = new SyslogStream({
    intake: intake as never,
    from: { source: 'syslog' },
    peer: undefined,
    unfinished: new Unfinished(),
    signal: new AbortController().signal,
    waiting: () => undefined,
  });
  for (const piece of pieces) await stream.add(piece);
  await stream.end();
  return { taken, partial };
}

test('cut and merged in any way, the messages are the same', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.boolean(), fc.stringMatching(/^[a-z<é> \n\d]{1,40}$/)), { minLength: 1, maxLength: 20 }),
      fc.array(fc.nat(500), { maxLength: 30 }),
      async (messages, cuts) => {
        const whole = messages.map(
          ([counts, text]) => [counts, `<13>${counts ? text : text.replaceAll('\n', ' ')}`] as const,
        );
        const bytes = Buffer.from(whole.map(([counts, text]) => (counts ? counted(text) : `${text}\n`)).join(''));
        const places = [0, ...cuts.map((cut) => cut % bytes.length), bytes.length].toSorted((a, b) => a - b);
        const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        const { taken } = await framed(pieces.filter(({ length }) => length > 0));
        expect(taken).toEqual(whole.map(([, text]) => text.replace(/[\r\n\0]+$/, '')));
      },
    ),
    { numRuns: 300 },
  ));

test('whatever comes, it holds no more than a message may have, and goes on', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 20 }), async (pieces) => {
      const { taken } = await framed(pieces.map(Buffer.from), 100);
      // Nothing but counts and what ends messages is left out.
      const sent = Buffer.concat(pieces).length;
      expect(taken.every((each) => Buffer.byteLength(each) <= 300)).toBe(true);
      expect(taken.join('').length).toBeLessThanOrEqual(sent);
    }),
    { numRuns: 300 },
  ));

test('a message beyond the limit, counted or not, arrives in pieces, and the next is intact', async () => {
  const long = `<13>${'x'.repeat(2500)}`;
  for (const text of [`${counted(long)}${counted('<13>next')}`, `${long}\n<13>next\n`]) {
    const bytes = Buffer.from(text);
    for (const size of [1, 700, 10_000]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      const { taken, partial } = await framed(pieces);
      expect([size, taken.at(-1)]).toEqual([size, '<13>next']);
      expect(taken.slice(0, -1).join('')).toBe(long);
      expect(partial).toEqual(taken.map((_, index) => index < taken.length - 2));
    }
  }
});

test('a count that nobody means costs no memory', async () => {
  await using pushed = await open();
  const before = process.memoryUsage().arrayBuffers;
  const sockets = await Promise.all(Array.from({ length: 50 }, () => dial(pushed.source.listening!)));
  for (const socket of sockets) socket.write('99999999 <13>a little');
  for (const socket of sockets) socket.end();
  expect((await pushed.lines(50))[0]).toBe('<13>a little');
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
});

test('UDP: a datagram is a message; without room they are dropped and counted, and TCP waits', async () => {
  await using pushed = await open({ udpAddress }, { limit: 300_000 });
  const socket = createSocket('udp4');
  const port = portOf(pushed.source.listening!);
  socket.send('<13>hello\n', port, '127.0.0.1');
  expect(await pushed.lines(1)).toEqual(['<13>hello']);
  for (let sent = 0; (pushed.counts.dropped ?? 0) === 0; sent++) {
    expect(sent).toBeLessThan(5000);
    socket.send(`<13>${sent} ${'x'.repeat(1000)}`, port, '127.0.0.1');
    await new Promise(setImmediate);
  }
  expect(pushed.source.troubles).toHaveLength(1);
  expect(pushed.spool.bytes).toBeLessThan(310_000);
  await pushed.read();
  await until(async () => {
    socket.send('<13>again', port, '127.0.0.1');
    return (await pushed.read()).some(({ fields }) => fields.log === '<13>again');
  });
  expect(pushed.source.troubles).toEqual([]);
  socket.close();
});

test('an address is needed', async () => {
  await expect(open({})).rejects.toThrow('is needed');
});

test('killed while it is sent to, what the queue has is whole messages', async () => {
  await using directory = await scratch();
  const queue = directory.join('spool');
  await using peer = await startPushed('syslog', queue, { tcpAddress });
  const socket = await dial(peer.listening);
  for (let id = 0; id < 3000; id++) socket.write(counted(message(id)));
  await until(async () => (await contentOf(queue)).length > 100);
  peer.kill('SIGKILL');
  await peer.exited;
  const lines = (await contentOf(queue)).map(({ fields }) => fields.log);
  expect(lines).toEqual(lines.map((_, id) => message(id)));
});

const missing = missingPrograms('logger');

test.skipIf(missing !== '')(
  `what util-linux's logger sends, both transports, framings and formats${missing && ` (missing: ${missing})`}`,
  async () => {
    await using pushed = await open({ tcpAddress, udpAddress });
    const [tcp, udp] = [/tcp:\/\/[^:]+:(\d+)/, /udp:\/\/[^:]+:(\d+)/].map(
      (port) => port.exec(pushed.source.listening!)![1]!,
    );
    const ways = [
      ['--tcp', '--port', tcp!, '--rfc3164'],
      ['--tcp', '--port', tcp!, '--rfc5424'],
      ['--tcp', '--port', tcp!, '--rfc5424', '--octet-count'],
      ['--udp', '--port', udp!, '--rfc5424'],
      ['--udp', '--port', udp!, '--rfc3164'],
    ];
    for (const [index, way] of ways.entries()) {
      const args = ['--server', '127.0.0.1', ...way, '--priority', 'local0.warning', '--tag', 'billing'];
      await promisify(execFile)('logger', [...args, `größer ${index}`]);
      const lines = await pushed.lines(index + 1);
      expect(readSyslog(String(lines[index]))).toMatchObject({
        facility: 'local0',
        app: 'billing',
        message: `größer ${index}`,
      });
    }
  },
);
