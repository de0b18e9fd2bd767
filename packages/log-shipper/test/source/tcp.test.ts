import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { makeAddress } from '@outrigger/core';
import { scratch, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { tcp } from '../../src/source/tcp.ts';
import { unix } from '../../src/source/unix.ts';
import { breaking, contentOf, openPushed, type Settings, startPushed } from './pushed.ts';

const address = makeAddress('127.0.0.1', 0);
const open = (given = {}, settings: Settings = {}) => openPushed(tcp, { address, ...given }, settings);

async function dial(listening: string): Promise<Socket> {
  const socket = connect(Number(listening.split(':').at(-1)), '127.0.0.1');
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

const sequence = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`);
const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');

test('lines in whatever pieces they come, and the last without its newline', async () => {
  await using pushed = await open();
  const socket = await dial(pushed.source.listening!);
  const all = Buffer.from(`${text(sequence(1, 100))}größer\nlast`);
  for (let at = 0; at < all.length; at += 7) socket.write(all.subarray(at, at + 7));
  socket.end();
  expect(await pushed.lines(102)).toEqual([...sequence(1, 100), 'größer', 'last']);
});

test('one line arrives without waiting for another', async () => {
  await using pushed = await open();
  const socket = await dial(pushed.source.listening!);
  socket.write('only\n');
  expect(await pushed.lines(1)).toEqual(['only']);
  socket.destroy();
});

test('a line beyond the limit arrives in pieces, between characters, and the next is intact', async () => {
  await using pushed = await open({}, { lineLimit: 1000 });
  const socket = await dial(pushed.source.listening!);
  const long = 'ä'.repeat(200_000);
  socket.end(`${long}\nnext\n`);
  await pushed.lines(401);
  const records = await pushed.read();
  const pieces = records.slice(0, -1);
  expect(pieces.map(({ fields }) => fields.log).join('')).toBe(long);
  expect(pieces.every(({ fields }) => Buffer.byteLength(String(fields.log)) <= 1000)).toBe(true);
  expect(pieces.slice(0, -1).every(({ fields }) => fields.partial === true)).toBe(true);
  expect(pieces.at(-1)!.fields.partial).toBe(undefined);
  expect(records.at(-1)!.fields.log).toBe('next');
});

test('bytes that are no UTF-8, NULs and empty lines are records like others', async () => {
  await using pushed = await open();
  const socket = await dial(pushed.source.listening!);
  socket.end(Buffer.from([0xff, 0xfe, 0x0a, 0x00, 0x41, 0x0a, 0x0a, 0x42, 0x0a]));
  expect(await pushed.lines(4)).toEqual(['\ufffd\ufffd', '\0A', '', 'B']);
});

test('a sender killed in the middle of a line: what it had sent is there, and others go on', async () => {
  await using pushed = await open();
  const [killed, other] = [await dial(pushed.source.listening!), await dial(pushed.source.listening!)];
  killed.write('whole\nhal');
  await pushed.lines(1);
  killed.resetAndDestroy();
  other.write('other\n');
  expect((await pushed.lines(3)).toSorted()).toEqual(['hal', 'other', 'whole']);
  other.destroy();
});

test('with a full queue it stops reading, holds little, and loses nothing', async () => {
  await using pushed = await open({}, { limit: 2_000_000 });
  const socket = await dial(pushed.source.listening!);
  const line = 'x'.repeat(1000);
  let sent = 0;
  const flood = async () => {
    for (; sent < 20_000; sent++) if (!socket.write(`${sent} ${line}\n`)) await once(socket, 'drain');
  };
  const flooding = flood();
  await until(() => pushed.source.troubles.length === 1);
  // The kernel's buffers are full, this process's and the queue: the sender stands.
  await until(() => socket.writableNeedDrain);
  expect(sent).toBeLessThan(20_000);
  expect(pushed.spool.bytes).toBeLessThan(2_100_000);
  const lines = await pushed.lines(20_000);
  await flooding;
  expect(lines.map((each) => Number(String(each).split(' ')[0]))).toEqual(
    Array.from({ length: 20_000 }, (_, index) => index),
  );
  expect(pushed.source.troubles).toEqual([]);
  socket.destroy();
});

test('many senders that never end a line are held to a bound', async () => {
  await using pushed = await open();
  const sockets = await Promise.all(Array.from({ length: 40 }, () => dial(pushed.source.listening!)));
  const before = process.memoryUsage().arrayBuffers;
  for (const socket of sockets) socket.write(Buffer.alloc(600_000, 0x61));
  // All together they have 24 MB; what exceeds 16 MiB goes as it is.
  await until(
    async () => (await pushed.read()).reduce((sum, { fields }) => sum + String(fields.log).length, 0) > 5_000_000,
  );
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(80_000_000);
  for (const socket of sockets) socket.destroy();
});

test('more connections than are allowed are turned away, and those that are silent are closed', async () => {
  await using pushed = await open({ connections: 2, idleTimeout: 200 });
  const [first, second] = [await dial(pushed.source.listening!), await dial(pushed.source.listening!)];
  const third = await dial(pushed.source.listening!);
  await once(third, 'close');
  first.write('half');
  await Promise.all([once(first, 'close'), once(second, 'close')]);
  expect(await pushed.lines(1)).toEqual(['half']);
});

test('a pipeline that fails ends the connection and nothing else', async () => {
  await using pushed = await open();
  const socket = await dial(pushed.source.listening!);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(`${breaking}\n`);
  await closed;
  const last = await dial(pushed.source.listening!);
  last.end(breaking);
  const other = await dial(pushed.source.listening!);
  other.end('fine');
  expect(await pushed.lines(1)).toEqual(['fine']);
});

test('stopped, it takes what is on its way', async () => {
  await using pushed = await open();
  const socket = await dial(pushed.source.listening!);
  socket.write(text(sequence(1, 5000)));
  await pushed.source[Symbol.asyncDispose]();
  expect(await pushed.lines(5000)).toEqual(sequence(1, 5000));
});

test('a Unix socket: in place of one that was left, open to any uid, gone when it stops', async () => {
  await using directory = await scratch();
  const path = directory.join('log.sock');
  {
    await using killed = await startPushed('unix', directory.join('spool'), { path });
    const socket = connect(path);
    socket.write(text(sequence(1, 10)));
    await until(async () => (await contentOf(directory.join('spool'))).length === 10);
    killed.kill('SIGKILL');
    await killed.exited;
  }
  await using pushed = await openPushed(unix, { path });
  const socket = connect(path);
  socket.end(text(sequence(11, 20)));
  expect(await pushed.lines(10)).toEqual(sequence(11, 20));
  await expect(openPushed(unix, { path })).rejects.toThrow('somebody listens there');
  await expect(openPushed(unix, { path: `/tmp/${'x'.repeat(120)}` })).rejects.toThrow('107 bytes');
});
