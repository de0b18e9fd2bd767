// At least once, whatever happens when.

import { readFile, rename, writeFile } from 'node:fs/promises';
import { every, pause } from '@outrigger/core';
import { freePort, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { Receiver } from './receiver.ts';
import { ElasticsearchReceiver } from './receivers/elasticsearch.ts';
import { ledgerOf, sequence, text, toForward, workplace } from './shipper.ts';

test('killed between delivery and acknowledgement, it sends again what was not acknowledged', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  await place.append(text(sequence(1, 100)));
  {
    await using shipper = await place.ship(toForward(receiver.address));
    await receiver.hasAll(sequence(1, 100));
    await until(async () => (await ledgerOf(shipper)).checkpoint.savedAt);
    await until(async () => (await ledgerOf(shipper)).files[0]?.lag === 0);
    receiver.answer = 'say nothing';
    await place.append(text(sequence(101, 200)));
    await receiver.hasAll(sequence(101, 200));
    shipper.kill('SIGKILL');
    await shipper.exited;
  }
  receiver.answer = 'acknowledge';
  await using shipper = await place.ship(toForward(receiver.address));
  await until(async () => (await ledgerOf(shipper)).files[0]?.lag === 0);
  expect(receiver.lines.slice(0, 200)).toEqual(sequence(1, 200));
  expect(receiver.lines.slice(-100)).toEqual(sequence(101, 200));
});

test('stopped and started, it goes on after the last acknowledged line and repeats none', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  for (let start = 0; start < 4; start++) {
    await using shipper = await place.ship(toForward(receiver.address));
    await place.append(text(sequence(start * 50 + 1, start * 50 + 50)));
    shipper.kill('SIGTERM');
    expect(await shipper.exited).toEqual({ code: 0, signal: null });
  }
  expect(receiver.lines).toEqual(sequence(1, 200));
});

test('told to stop, it ships what was written a moment before, also an unfinished line', async () => {
  await using place = await workplace();
  await using shipper = await place.ship();
  await place.append(`${text(sequence(1, 10_000))}the last words`);
  shipper.kill('SIGTERM');
  expect(await shipper.exited).toEqual({ code: 0, signal: null });
  expect(shipper.stdout).toBe(`${text(sequence(1, 10_000))}the last words\n`);
  // What comes after is not lost, and what was shipped not repeated.
  await place.append(' go on\nnext\n');
  await using again = await place.ship();
  await until(() => again.stdout === ' go on\nnext\n');
});

test('told to stop while the application goes on, it does not wait for it to end, and the next one ships the rest', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  let written = 0;
  const ending = new AbortController();
  const writing = every(1, ending.signal, async () => {
    written++;
    await place.append(`line ${written}\n`);
  });
  {
    await using shipper = await place.ship([...toForward(receiver.address), '--drain-timeout', '1s']);
    shipper.kill('SIGTERM');
    expect(await shipper.exited).toEqual({ code: 0, signal: null });
  }
  ending.abort();
  await writing;
  await using _again = await place.ship(toForward(receiver.address));
  await receiver.hasAll(sequence(1, written));
  expect(receiver.lines).toEqual(sequence(1, written));
});

test('told to stop while the receiver is down, it says what is left, and the next one ships it', async () => {
  await using place = await workplace();
  const port = await freePort();
  await place.append(text(sequence(1, 100)));
  {
    const [lag, words] = [text(sequence(1, 100)).length, place.state('last-words')];
    // As the kubelet does.
    await writeFile(words, '');
    await using shipper = await place.ship([
      ...[...toForward(`127.0.0.1:${port}`), '--drain-timeout', '1s', '--termination-message-file', words],
    ]);
    shipper.kill('SIGTERM');
    expect((await shipper.exited).code).toBe(75);
    expect(shipper.logs()).toContainEqual(expect.objectContaining({ code: 'LOG_SHIPPER_LEFT', sink: 'forward', lag }));
    expect(await readFile(words, 'utf8')).toContain(`Sink forward has not acknowledged ${lag} bytes`);
  }
  await using receiver = await Receiver.listen({ port });
  await using _again = await place.ship(toForward(receiver.address));
  await receiver.hasAll(sequence(1, 100));
});

test('told to stop while it waits to try again, it tries at once', async () => {
  await using place = await workplace();
  const port = await freePort();
  await place.append(text(sequence(1, 10)));
  await using shipper = await place.ship(toForward(`127.0.0.1:${port}`));
  await until(() => shipper.logs().some(({ code }) => code === 'LOG_SHIPPER_SINK_DOWN'));
  await using receiver = await Receiver.listen({ port });
  shipper.kill('SIGTERM');
  expect(await shipper.exited).toEqual({ code: 0, signal: null });
  expect(receiver.lines).toEqual(sequence(1, 10));
});

test('killed between the answer of the receiver and the state file, what is sent again is recognised where ids are', async () => {
  await using place = await workplace();
  await using receiver = await ElasticsearchReceiver.listen();
  const args = ['--sink', 'elasticsearch', '--sink-elasticsearch-url', receiver.url];
  await place.append(text(sequence(1, 100)));
  {
    await using shipper = await place.ship(args);
    await until(() => receiver.lines.length === 100);
    shipper.kill('SIGKILL');
    await shipper.exited;
  }
  await place.append(text(sequence(101, 110)));
  await using shipper = await place.ship(args);
  await until(async () => (await ledgerOf(shipper)).files[0]?.acknowledged === text(sequence(1, 110)).length);
  expect(receiver.lines).toEqual(sequence(1, 110));
});

test('told to stop twice, it ends at once, and the next one ships what is left', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen({ answer: 'say nothing' });
  await place.append(text(sequence(1, 100)));
  {
    await using shipper = await place.ship(toForward(receiver.address));
    await receiver.hasAll(sequence(1, 100));
    shipper.kill('SIGTERM');
    await until(() => shipper.logs().some(({ message }) => message === 'Stopping'));
    const begun = performance.now();
    shipper.kill('SIGTERM');
    expect(await shipper.exited).toEqual({ code: 75, signal: null });
    expect(performance.now() - begun).toBeLessThan(5_000);
  }
  receiver.answer = 'acknowledge';
  await place.append('and one more\n');
  await using shipper = await place.ship(toForward(receiver.address));
  await receiver.hasAll(['and one more']);
  await until(async () => (await ledgerOf(shipper)).files[0]?.lag === 0);
  expect(receiver.lines.slice(-101)).toEqual([...sequence(1, 100), 'and one more']);
});

test('stopped by SIGSTOP for longer than any time-out and continued, it goes on over a new connection, and repeats nothing', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  await place.append(text(sequence(1, 100)));
  await using shipper = await place.ship([...toForward(receiver.address), '--sink-forward-ack-timeout', '200ms']);
  await receiver.hasAll(sequence(1, 100));
  await until(async () => (await ledgerOf(shipper)).files[0]?.lag === 0);
  shipper.kill('SIGSTOP');
  receiver.hangUp();
  await place.append(text(sequence(101, 200)));
  await rename(place.log(), place.log('app.log.1'));
  await place.append(text(sequence(201, 300)));
  // Nothing happens meanwhile, and that is what is tested.
  await pause(1_000);
  shipper.kill('SIGCONT');
  await receiver.hasAll(sequence(1, 300));
  expect(receiver.lines).toEqual(sequence(1, 300));
  expect(receiver.connections).toBe(2);
  await until(async () => (await shipper.get('/livez')).ok);
});

test('killed again and again while the application logs, rotates and the receiver fails, it loses no line', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  const answers = ['acknowledge', 'hang up', 'acknowledge', 'say nothing'] as const;
  const args = [...toForward(receiver.address), '--sink-forward-ack-timeout', '200ms', '--batch-limit', '4KiB'];
  let written = 0;
  const write = async (count: number) => {
    await place.append(text(sequence(written + 1, written + count)));
    written += count;
  };
  const rotate = async () => {
    for (let older = 4; older >= 1; older--)
      await rename(place.log(`app.log.${older}`), place.log(`app.log.${older + 1}`)).catch(() => undefined);
    await rename(place.log(), place.log('app.log.1'));
  };
  for (let round = 0; round < 8; round++) {
    receiver.answer = answers[round % answers.length]!;
    await write(500);
    await using shipper = await place.ship(args);
    await write(1000);
    if (round % 2 === 0) await rotate();
    await write(1000);
    const chunks = receiver.chunks.length;
    // Into the middle of what it does: once it has begun to send, or at once where the receiver takes nothing.
    if (round % answers.length !== 1) await until(() => receiver.chunks.length > chunks + (round % 3));
    shipper.kill('SIGKILL');
    await shipper.exited;
    // The state file is the old one or the new one.
    expect(shipper.logs()).not.toContainEqual(expect.objectContaining({ code: 'LOG_SHIPPER_STATE_CORRUPT' }));
  }
  receiver.answer = 'acknowledge';
  await using shipper = await place.ship(args);
  expect(shipper.logs()).not.toContainEqual(expect.objectContaining({ code: 'LOG_SHIPPER_STATE_CORRUPT' }));
  await receiver.hasAll(sequence(1, written), 30_000);
  expect(new Set(receiver.lines)).toEqual(new Set(sequence(1, written)));
  await until(async () => (await ledgerOf(shipper)).sinks[0]?.lag === 0);
}, 120_000);
