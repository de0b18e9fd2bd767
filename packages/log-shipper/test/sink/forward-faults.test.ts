// What goes wrong between a shipper and its Forward receiver, with real processes and the kernel's own doings.

import { readFileSync } from 'node:fs';
import { appendFile, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { makeAddress } from '@outrigger/core';
import { cannotMount, freePort, scratch, startPeer, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { forward } from '../../src/sink/forward.ts';
import { Receiver } from '../receiver.ts';
import { argumentsFor, ledgerOf, main, sequence, text, toForward, workplace } from '../shipper.ts';
import { batchOf, openSink } from './open-sink.ts';

const script = (name: string) => fileURLToPath(import.meta.resolve(`../fixtures/${name}.ts`));

test('a receiver that is frozen for longer than the time-out, and its acknowledgements with it, loses nothing', async () => {
  await using place = await workplace();
  await using server = await startPeer(process.execPath, [script('fluent-server')], { ready: /port \d+/ });
  const port = /port (\d+)/.exec(server.stdout)![1]!;
  const forward = [...toForward(`127.0.0.1:${port}`), '--sink-forward-ack-timeout', '200ms'];
  await using shipper = await place.ship(forward);
  const have = () => new Set(server.stdout.split('\n').filter((line) => line.startsWith('line')));
  await place.append(text(sequence(1, 1000)));
  await until(() => have().size === 1000);
  server.kill('SIGSTOP');
  await place.append(text(sequence(1001, 2000)));
  await until(() => shipper.logs().some(({ code }) => code === 'LOG_SHIPPER_SINK_DOWN'));
  expect(shipper.logs().find(({ code }) => code === 'LOG_SHIPPER_SINK_DOWN')!.message).toContain('no answer within');
  server.kill('SIGCONT');
  await until(() => have().size === 2000);
  await until(async () => (await ledgerOf(shipper)).files[0]?.lag === 0);
});

const doings: Record<string, (socket: Socket) => void> = {
  'resets the connection in the middle of a packet': (socket) => socket.resetAndDestroy(),
  'ends its side and goes on reading': (socket) => socket.end(),
  'reads a little and no more': (socket) => socket.pause(),
};

for (const [name, doing] of Object.entries(doings))
  test(`a receiver that ${name} is sent the batch again`, async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', () => doing(socket));
    });
    server.listen(0, '127.0.0.1');
    await until(() => server.listening);
    const { port } = server.address() as { port: number };
    await using opened = await openSink(forward, { address: [makeAddress('127.0.0.1', port)], ackTimeout: 2000 });
    // More than the kernel holds for a peer that does not read.
    const batch = batchOf(opened.sink, [...sequence(1, 10), 'x'.repeat(4_000_000)]);
    expect(await opened.write(batch)).toMatchObject({ became: 'retry' });
    server.close();
    await using receiver = await Receiver.listen({ port });
    await until(async () => (await opened.write(batch)).became === 'delivered');
    expect(receiver.lines.slice(0, 10)).toEqual(sequence(1, 10));
  });

test('a name that cannot be resolved is a reason to try again', async () => {
  await using opened = await openSink(forward, { address: [makeAddress('nowhere.invalid', 24224)] });
  expect(await opened.write(batchOf(opened.sink, ['one']))).toMatchObject({
    became: 'retry',
    reason: expect.stringMatching(/nowhere\.invalid/),
  });
});

const reason = cannotMount();

test.skipIf(reason !== '')(
  `a name that leads elsewhere by now is followed by the next connection${reason && ` (${reason})`}`,
  async () => {
    await using place = await workplace();
    const port = await freePort();
    await using first = await Receiver.listen({ port, host: '127.0.0.1' });
    await using second = await Receiver.listen({ port, host: '127.0.0.2' });
    const hosts = `${place.path}/hosts`;
    await writeFile(hosts, '127.0.0.1 logs.test\n');
    const flags = argumentsFor(place.path, toForward(`logs.test:${port}`));
    const program = [process.execPath, fileURLToPath(main), '--admin-address', '127.0.0.1:0', ...flags];
    const age = ['--sink-forward-connection-age', '100ms'];
    const bind = ['sh', '-c', 'mount --bind "$1" /etc/hosts && shift && exec "$@"', 'sh', hosts];
    await using _shipper = await startPeer('unshare', ['--map-root-user', '--mount', ...bind, ...program, ...age]);
    await place.append('one\n');
    await first.hasAll(['one']);
    await writeFile(hosts, '127.0.0.2 logs.test\n');
    let count = 0;
    await until(async () => {
      await appendFile(place.log(), `more ${++count}\n`);
      return second.lines.length > 0;
    });
    const more = sequence(1, count, 'more');
    await until(() => new Set([...first.lines, ...second.lines]).size === count + 1);
    expect(new Set([...first.lines, ...second.lines])).toEqual(new Set(['one', ...more]));
  },
);

test('the kernel is asked to find out about receivers that vanish while nothing is sent', async () => {
  await using receiver = await Receiver.listen();
  await using opened = await openSink(forward, { address: [makeAddress('127.0.0.1', receiver.port)] });
  expect(await opened.write(batchOf(opened.sink, ['one']))).toEqual({ became: 'delivered' });
  const port = receiver.port.toString(16).toUpperCase().padStart(4, '0');
  // remote address, state 01 (established), queues, timer 02 (keep-alive) and when it ends in hundredths of a second
  const timer = new RegExp(`0100007F:${port} 01 \\w+:\\w+ (\\w\\w):(\\w+)`);
  const [, kind, when] = await until(() => timer.exec(readFileSync('/proc/net/tcp', 'utf8')));
  expect(kind).toBe('02');
  expect(Number.parseInt(when!, 16)).toBeLessThanOrEqual(3000);
});

test('neither a shared key nor a password is said anywhere, right or wrong', async () => {
  await using place = await workplace();
  await using directory = await scratch();
  await using receiver = await Receiver.listen({ security: { sharedKey: 'another', users: { ann: 'secret' } } });
  await writeFile(directory.join('key'), 'mySharedKey\n');
  await writeFile(directory.join('password'), 'myPassword\n');
  await place.append('one\n');
  await using shipper = await place.ship([
    ...toForward(receiver.address),
    ...['--sink-forward-shared-key-file', directory.join('key'), '--sink-forward-username', 'ann'],
    ...['--sink-forward-password-file', directory.join('password'), '--log-level', 'trace'],
  ]);
  await until(() => shipper.logs().some(({ code }) => code === 'LOG_SHIPPER_SINK_DOWN'));
  const pages = ['/v1/parameters', '/v1/status', '/v1/ledger', '/metrics', '/readyz?verbose'];
  const said = await Promise.all(pages.map(async (page) => (await shipper.get(page)).text()));
  expect([...said, shipper.stderr, shipper.stdout].join('\n')).not.toMatch(/mySharedKey|myPassword/);
  expect(shipper.stderr).toContain('shared key mismatch');
  expect(receiver.received).toEqual([]);
});
