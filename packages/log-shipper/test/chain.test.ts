// One shipper after another: what the forward sink sends, the forward source takes.

import { connect } from 'node:net';
import { freePort, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { type Received, Receiver } from './receiver.ts';
import { ledgerOf, sequence, text, toForward, workplace } from './shipper.ts';

test('file to forward to forward to stdout, with the second killed in between: each line, in order', async () => {
  await using first = await workplace();
  await using second = await workplace();
  const address = `127.0.0.1:${await freePort()}`;
  const receive = ['--source', 'forward', '--source-forward-address', address, '--sink', 'stdout'];
  const printed: string[] = [];
  await using sender = await first.ship([...toForward(address), '--batch-limit', '4KiB']);
  await first.append(text(sequence(1, 2000)));
  {
    await using killed = await second.ship(receive);
    await until(() => killed.stdout.length > 5000, {
      what: () => `5000 bytes, ${killed.stdout.slice(-200)}${killed.stderr}`,
    });
    killed.kill('SIGKILL');
    await killed.exited;
    printed.push(...linesOf(killed.stdout));
  }
  await using receiver = await second.ship(receive);
  await until(async () => (await ledgerOf(sender)).sinks[0]?.lag === 0);
  const missing = () => {
    const there = new Set([...printed, ...linesOf(receiver.stdout)]);
    return sequence(1, 2000).filter((line) => !there.has(line));
  };
  await until(() => missing().length === 0, {
    what: () => `${missing().length} lines; ${receiver.stdout.slice(-200)}`,
  });
  expect(linesOf(receiver.stdout).at(-1)).toBe('line 2000');
});

const linesOf = (stdout: string): string[] => stdout.match(/line \d+(?=\D)/g) ?? [];

test('syslog to forward: a message arrives with what it says of itself', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  const port = await freePort();
  const listen = ['--source', 'syslog', '--source-syslog-tcp-address', `127.0.0.1:${port}`];
  await using _shipper = await place.ship([...toForward(receiver.address), ...listen]);
  const message = '<34>1 2026-11-21T22:14:15.003Z host app 7 ID47 - it\nfailed';
  connect(port, '127.0.0.1').end(`${Buffer.byteLength(message)} ${message}`);
  const [{ record }] = await until(() => receiver.received.length > 0 && (receiver.received as [Received]));
  expect(record).toMatchObject({ facility: 'auth', host: 'host', app: 'app', pid: '7', message: 'it\nfailed' });
});
