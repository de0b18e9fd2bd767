import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { FluentServer } from '@fluent-org/logger';
import { freePort, makeCertificate, scratch, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { Receiver } from '../receiver.ts';
import { ledgerOf, metric, sequence, text, toForward, workplace } from '../shipper.ts';

test('records reach a FluentServer with tag, time and fields', async () => {
  await using place = await workplace();
  const server = new FluentServer({ listenOptions: { host: '127.0.0.1', port: 0 } });
  await server.listen();
  await place.append('hello\n');
  const before = Math.floor(Date.now() / 1000);
  const arrived = once(server, 'entry');
  await using _shipper = await place.ship([
    ...toForward(`127.0.0.1:${server.port}`),
    ...['--sink-forward-tag', 'billing.log', '--fields', 'service=billing', '--path-field', 'path'],
  ]);
  const [tag, time, record] = await arrived;
  expect(tag).toBe('billing.log');
  expect(time.epoch).toBeGreaterThanOrEqual(before);
  expect(time.nano).toBeLessThan(1e9);
  expect(record).toEqual({ log: 'hello', path: place.log(), service: 'billing' });
  await _shipper[Symbol.asyncDispose]();
  await server.close();
});

test('a receiver that is down at first gets every line, in order, when it comes', async () => {
  await using place = await workplace();
  const port = await freePort();
  await using shipper = await place.ship(toForward(`127.0.0.1:${port}`));
  await place.append(text(sequence(1, 500)));
  await until(() => shipper.logs().some(({ code }) => code === 'LOG_SHIPPER_SINK_DOWN'));
  expect(await metric(shipper, 'sink_up{sink="forward"}')).toBe(0);
  expect((await ledgerOf(shipper)).sinks).toMatchObject([
    { name: 'forward', state: 'retrying', reason: expect.stringContaining('ECONNREFUSED') },
  ]);
  await using receiver = await Receiver.listen({ port });
  await receiver.hasAll(sequence(1, 500));
  expect(receiver.lines).toEqual(sequence(1, 500));
  await until(() => shipper.logs().some(({ message }) => message === 'Sink takes records again'));
  expect(await metric(shipper, 'sink_up{sink="forward"}')).toBe(1);
});

test('a receiver that never acknowledges is sent the same chunk again and again, and no position moves', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen({ answer: 'say nothing' });
  await place.append(text(sequence(1, 3)));
  await using shipper = await place.ship([...toForward(receiver.address), '--sink-forward-ack-timeout', '50ms']);
  await until(() => receiver.chunks.length >= 3);
  expect(new Set(receiver.chunks).size).toBe(1);
  expect((await ledgerOf(shipper)).files).toMatchObject([{ acknowledged: 0 }]);
  expect(await metric(shipper, 'retries_total{sink="forward"}')).toBeGreaterThanOrEqual(2);
  expect(shipper.logs().filter(({ code }) => code === 'LOG_SHIPPER_SINK_DOWN').length).toBe(1);
  receiver.answer = 'acknowledge';
  await until(async () => (await ledgerOf(shipper)).files[0]?.acknowledged === 21);
});

for (const [behaviour, reason] of [
  ['hang up', 'closed the connection'],
  ['acknowledge another', 'no answer within'],
  ['talk nonsense', ''],
] as const) {
  test(`a receiver that chooses to ${behaviour} loses no line: all come when it acknowledges`, async () => {
    await using place = await workplace();
    await using receiver = await Receiver.listen({ answer: behaviour });
    await place.append(text(sequence(1, 3)));
    await using shipper = await place.ship([...toForward(receiver.address), '--sink-forward-ack-timeout', '100ms']);
    await until(() => shipper.logs().some(({ message }) => message.includes(reason) && message.includes('forward')));
    await until(() => receiver.connections >= 2);
    expect((await ledgerOf(shipper)).files).toMatchObject([{ acknowledged: 0 }]);
    receiver.answer = 'acknowledge';
    await receiver.hasAll(sequence(1, 3));
    await until(async () => (await ledgerOf(shipper)).files[0]?.acknowledged === 21);
  });
}

test('a receiver that restarts between two lines is connected to again without a complaint', async () => {
  await using place = await workplace();
  const port = await freePort();
  await using shipper = await place.ship(toForward(`127.0.0.1:${port}`));
  {
    await using receiver = await Receiver.listen({ port });
    await place.append('one\n');
    await receiver.hasAll(['one']);
    await until(async () => (await ledgerOf(shipper)).sinks[0]?.state === 'idle');
  }
  await using again = await Receiver.listen({ port });
  await place.append('two\n');
  await again.hasAll(['two']);
  expect(shipper.logs().filter(({ level }) => level === 'warn')).toEqual([]);
});

test('a batch stays below its limit however short the lines are', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  await place.append('\n'.repeat(20_000));
  await using shipper = await place.ship([...toForward(receiver.address), '--batch-limit', '64KiB']);
  await until(() => receiver.received.length === 20_000);
  expect(receiver.lines.every((line) => line === '')).toBe(true);
  // An entry of an empty line takes 17 bytes.
  expect(receiver.chunks.length).toBe(Math.ceil(20_000 / Math.floor(65_536 / 17)));
  await until(async () => (await metric(shipper, 'delivered_records_total{sink="forward"}')) === 20_000);
});

test('one sink that is down holds up no other, and gets everything later', async () => {
  await using place = await workplace();
  const port = await freePort();
  await place.append(text(sequence(1, 100)));
  await using shipper = await place.ship([...toForward(`127.0.0.1:${port}`), '--sink', 'stdout']);
  await until(() => shipper.stdout === text(sequence(1, 100)));
  await place.append(text(sequence(101, 200)));
  await until(() => shipper.stdout === text(sequence(1, 200)));
  await until(
    async () => (await ledgerOf(shipper)).files[0]?.sinks.stdout?.acknowledged === text(sequence(1, 200)).length,
  );
  expect((await ledgerOf(shipper)).files).toMatchObject([{ acknowledged: 0 }]);
  await using receiver = await Receiver.listen({ port });
  await receiver.hasAll(sequence(1, 200));
  expect(receiver.lines).toEqual(sequence(1, 200));
});

test('by flags: two addresses, of which the second is there, TLS, a shared key, a user, and packets compressed', async () => {
  await using place = await workplace();
  await using directory = await scratch();
  const tls = makeCertificate();
  const files = { ca: tls.cert, key: 'shared', password: 'secret' };
  for (const [name, content] of Object.entries(files)) await writeFile(directory.join(name), content);
  await using receiver = await Receiver.listen({ tls, security: { sharedKey: 'shared', users: { ann: 'secret' } } });
  await place.append(text(sequence(1, 100)));
  await using shipper = await place.ship([
    ...toForward(`127.0.0.1:${await freePort()}`),
    ...['--sink-forward-address', receiver.address, '--sink-forward-ca-file', directory.join('ca')],
    ...['--sink-forward-shared-key-file', directory.join('key'), '--sink-forward-username', 'ann'],
    ...['--sink-forward-password-file', directory.join('password'), '--sink-forward-compress', 'zstd'],
  ]);
  await receiver.hasAll(sequence(1, 100));
  expect(receiver.lines).toEqual(sequence(1, 100));
  expect(new Set(receiver.compressed)).toEqual(new Set(['zstd']));
  await until(async () => (await ledgerOf(shipper)).files[0]?.lag === 0);
});

test('a record that the receiver drops without a word becomes a dead letter, all others arrive, and the ledger adds up', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  receiver.swallows = ({ log }) => log === 'line 40';
  await place.append(text(sequence(1, 50)));
  await using shipper = await place.ship([...toForward(receiver.address), '--sink-forward-ack-timeout', '100ms']);
  await until(async () => (await ledgerOf(shipper)).files[0]?.lag === 0, { deadline: 30_000 });
  expect(new Set(receiver.lines)).toEqual(new Set(sequence(1, 50)));
  const [name] = (await readdir(place.state('dead'))).filter((each) => each.endsWith('.ndjson'));
  const letter = JSON.parse(await readFile(place.state(`dead/${name}`), 'utf8'));
  expect(letter).toMatchObject({
    ...{ sink: 'forward', reason: expect.stringContaining('acknowledges others'), record: { log: 'line 40' } },
    source: { path: place.log(), offset: text(sequence(1, 39)).length, length: 'line 40\n'.length },
  });
  expect(await metric(shipper, 'dead_records_total{sink="forward"}')).toBe(1);
  expect(await metric(shipper, 'delivered_records_total{sink="forward"}')).toBe(49);
});

test('one that was alone in its batch does not stop the others: the batch after it shows that the receiver works', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  receiver.swallows = ({ log }) => log === 'line 2';
  await using shipper = await place.ship([...toForward(receiver.address), '--sink-forward-ack-timeout', '100ms']);
  for (const line of ['line 1', 'line 2']) {
    await place.append(`${line}\n`);
    await until(() => receiver.lines.includes(line));
  }
  await until(() => receiver.lines.filter((line) => line === 'line 2').length > 4);
  expect((await ledgerOf(shipper)).files).toMatchObject([{ acknowledged: 7 }]);
  await place.append('line 3\n');
  await until(async () => (await ledgerOf(shipper)).files[0]?.lag === 0, { deadline: 30_000 });
  expect(receiver.lines.filter((line) => line === 'line 3')).toEqual(['line 3']);
  expect((await ledgerOf(shipper)).sinks).toMatchObject([{ delivered: 14, dead: 7 }]);
  expect(await metric(shipper, 'delivered_records_total{sink="forward"}')).toBe(2);
});
