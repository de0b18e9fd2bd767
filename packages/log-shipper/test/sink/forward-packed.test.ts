// The forward sink by itself, against receivers that misbehave in each way that the protocol leaves open.

import { writeFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { makeAddress, Secret } from '@outrigger/core';
import { makeCertificate, scratch, until, writeCertificate } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import type { Batch } from '../../src/batch.ts';
import { forward } from '../../src/sink/forward.ts';
import { recordsOf } from '../chunk.ts';
import { type Answer, Receiver } from '../receiver.ts';
import { sequence } from '../shipper.ts';
import { batchOf, type Opened, openSink } from './open-sink.ts';

const to = (...receivers: { readonly port: number }[]) => ({
  address: receivers.map(({ port }) => makeAddress('127.0.0.1', port)),
  ackTimeout: 5000,
});

const open = (given: Readonly<Record<string, unknown>>) => openSink(forward, given);
const write = ({ sink, write }: Opened, ...lines: string[]) => write(batchOf(sink, lines));

describe('acknowledgement', () => {
  for (const answer of [
    'acknowledge',
    'acknowledge another first',
    'acknowledge twice',
    'acknowledge in pieces',
  ] as const)
    test(`a receiver that chooses to ${answer} is believed what it says of each batch`, async () => {
      await using receiver = await Receiver.listen({ answer });
      await using opened = await open(to(receiver));
      for (const line of ['one', 'two', 'three']) expect(await write(opened, line)).toEqual({ became: 'delivered' });
      expect(receiver.lines).toEqual(['one', 'two', 'three']);
      expect(receiver.connections).toBe(1);
    });

  for (const [answer, reason] of [
    ['say nothing', 'no answer within 100ms'],
    ['acknowledge another', 'no answer within 100ms'],
    ['talk nonsense', 'no acknowledgement'],
    ['talk for ever', 'no answer'],
    ['hang up', 'closed the connection'],
  ] as [Answer, string][])
    test(`a receiver that chooses to ${answer} is sent the same chunk again over a new connection`, async () => {
      await using receiver = await Receiver.listen({ answer });
      await using opened = await open({ ...to(receiver), ackTimeout: 100 });
      const batch = batchOf(opened.sink, ['one', 'two']);
      expect(await opened.write(batch)).toEqual({ became: 'retry', reason: expect.stringContaining(reason) });
      receiver.answer = 'acknowledge';
      expect(await opened.write(batch)).toEqual({ became: 'delivered' });
      expect(receiver.connections).toBe(2);
      expect(new Set(receiver.chunks).size).toBe(1);
    });

  test('an acknowledgement that comes too late is not taken for that of the next attempt', async () => {
    await using receiver = await Receiver.listen({ answer: 'acknowledge once in a connection' });
    await using opened = await open({ ...to(receiver), ackTimeout: 100 });
    expect(await write(opened, 'one')).toEqual({ became: 'delivered' });
    const second = batchOf(opened.sink, ['two']);
    expect(await opened.write(second)).toMatchObject({ became: 'retry' });
    expect(await opened.write(second)).toEqual({ became: 'delivered' });
    expect(receiver.lines).toEqual(['one', 'two', 'two']);
  });

  test('a write ends when it is told to', async () => {
    await using receiver = await Receiver.listen({ answer: 'say nothing' });
    await using opened = await open(to(receiver));
    const stop = new AbortController();
    const writing = opened.write(batchOf(opened.sink, ['one']), stop.signal);
    await until(() => receiver.chunks.length === 1);
    stop.abort(new Error('enough'));
    expect(await writing).toEqual({ became: 'retry', reason: 'enough' });
  });
});

/** As deliver.ts heeds verdicts, without its waits. Returns what was given up. */
async function deliver({ write }: Opened, batch: Batch, attempts = 1000): Promise<string[]> {
  const dead: string[] = [];
  const pieces = [batch];
  for (let piece = pieces.shift(); piece && attempts > 0; piece = pieces.shift(), attempts--) {
    const verdict = await write(piece);
    const { records } = piece;
    if (verdict.became === 'retry') pieces.unshift(piece);
    else if (verdict.became === 'partly') {
      for (const { index } of verdict.dead) dead.push(String(piece.provenance(index).fields.log));
      if (verdict.retry.length > 0) pieces.unshift(piece.pick(verdict.retry));
    } else if (verdict.became === 'dead') dead.push(String(piece.provenance(0).fields.log));
    else if (verdict.became === 'split')
      pieces.unshift(piece.slice(0, Math.ceil(records / 2)), piece.slice(Math.ceil(records / 2), records));
    else expect(verdict).toEqual({ became: 'delivered' });
  }
  return dead;
}

describe('a record that the receiver drops without a word', () => {
  for (const poison of [['line 1'], ['line 4'], ['line 7'], ['line 1', 'line 7'], ['line 1', 'line 2', 'line 3']])
    test(`${poison.join(' and ')} of seven: it alone is given up, all others are acknowledged`, async () => {
      await using receiver = await Receiver.listen();
      receiver.swallows = ({ log }) => poison.includes(String(log));
      await using opened = await open({ ...to(receiver), ackTimeout: 50 });
      expect(await deliver(opened, batchOf(opened.sink, sequence(1, 7)))).toEqual(poison);
      receiver.received.length = 0;
      expect(await deliver(opened, batchOf(opened.sink, ['the next']))).toEqual([]);
      expect(receiver.lines).toEqual(['the next']);
    });

  test('a single one is tried again for ever while nothing else has been acknowledged', async () => {
    await using receiver = await Receiver.listen({ answer: 'say nothing' });
    await using opened = await open({ ...to(receiver), ackTimeout: 10 });
    const batch = batchOf(opened.sink, ['one']);
    for (let attempt = 0; attempt < 10; attempt++) expect(await opened.write(batch)).toMatchObject({ became: 'retry' });
  });

  test('nothing is given up by a receiver that was frozen for long, and all of it comes once', async () => {
    await using receiver = await Receiver.listen({ answer: 'say nothing' });
    await using opened = await open({ ...to(receiver), ackTimeout: 10 });
    const delivering = deliver(opened, batchOf(opened.sink, sequence(1, 20)), 10_000);
    await until(() => receiver.chunks.length >= 30);
    receiver.answer = 'acknowledge';
    receiver.received.length = 0;
    expect(await delivering).toEqual([]);
    expect(new Set(receiver.lines)).toEqual(new Set(sequence(1, 20)));
    // Of all its connections one is left.
    await until(async () => (await sockets(receiver)) <= 1);
  });
});

describe('records with tags of their own', () => {
  const tagged = (...tags: (string | undefined)[]) => {
    const records = recordsOf(tags.map((tag, index) => `${tag} ${index}`));
    records.tags = tags;
    return records;
  };
  const byTag = ({ received }: Receiver) => received.map(({ tag, record }) => `${tag}: ${record.log}`);

  for (const engine of ['packed', 'client'])
    test(`${engine}: are sent under them, each in their order, and the others under the usual one`, async () => {
      await using receiver = await Receiver.listen();
      await using opened = await open({ ...to(receiver), engine, tag: 'usual' });
      const batch = batchOf(opened.sink, tagged('a', 'b', undefined, 'a', 'b', 'a'));
      expect(await opened.write(batch)).toEqual({ became: 'delivered' });
      expect(byTag(receiver)).toEqual(['a: a 0', 'a: a 3', 'a: a 5', 'b: b 1', 'b: b 4', 'usual: undefined 2']);
      expect(receiver.chunks.length).toBe(3);
      expect(await opened.write(batchOf(opened.sink, tagged('a', 'a')))).toEqual({ became: 'delivered' });
      expect(receiver.chunks.length).toBe(4);
    });

  test('what was not acknowledged is sent again, and nothing else', async () => {
    await using receiver = await Receiver.listen();
    receiver.swallows = ({ log }) => log === 'b 1';
    await using opened = await open({ ...to(receiver), ackTimeout: 100 });
    const batch = batchOf(opened.sink, tagged('a', 'b', 'a', 'c'));
    const verdict = await opened.write(batch);
    expect(verdict).toMatchObject({ became: 'partly', retry: [1, 3], dead: [] });
    receiver.swallows = () => false;
    expect(await opened.write(batch.pick([1, 3]))).toEqual({ became: 'delivered' });
    expect(byTag(receiver).toSorted()).toEqual(['a: a 0', 'a: a 2', 'b: b 1', 'b: b 1', 'c: c 3']);
  });

  for (const poison of ['a 0', 'b 1', 'b 4', 'c 3'])
    test(`${poison} alone is given up when the receiver drops it without a word`, async () => {
      await using receiver = await Receiver.listen();
      receiver.swallows = ({ log }) => log === poison;
      await using opened = await open({ ...to(receiver), ackTimeout: 50 });
      const records = tagged('a', 'b', 'b', 'c', 'b', 'c');
      expect(await deliver(opened, batchOf(opened.sink, records))).toEqual([poison]);
      expect(new Set(receiver.lines)).toEqual(new Set(['a 0', 'b 1', 'b 2', 'c 3', 'b 4', 'c 5']));
    });
});

describe('who we are', () => {
  const key = 'a shared key';

  test('a shared key opens the door', async () => {
    await using receiver = await Receiver.listen({ security: { sharedKey: key } });
    await using opened = await open({ ...to(receiver), sharedKey: Secret.of(key) });
    expect(await write(opened, 'one')).toEqual({ became: 'delivered' });
    expect(receiver.refusals).toEqual([]);
  });

  test('a receiver that keeps no connection gets a new one for each batch', async () => {
    await using receiver = await Receiver.listen({ security: { sharedKey: key, keepalive: false } });
    await using opened = await open({ ...to(receiver), sharedKey: Secret.of(key) });
    for (const line of ['one', 'two', 'three']) expect(await write(opened, line)).toEqual({ became: 'delivered' });
    expect(receiver.connections).toBe(3);
  });

  test('and a user with a password, where the receiver knows users', async () => {
    await using receiver = await Receiver.listen({ security: { sharedKey: key, users: { ann: 'secret' } } });
    const given = { ...to(receiver), sharedKey: Secret.of(key), username: 'ann' };
    await using wrong = await open({ ...given, password: Secret.of('guess') });
    expect(await write(wrong, 'one')).toMatchObject({ became: 'paused' });
    await using right = await open({ ...given, password: Secret.of('secret') });
    expect(await write(right, 'one')).toEqual({ became: 'delivered' });
    expect(receiver.users).toEqual(['ann']);
  });

  test('a wrong key pauses the sink, and a new one from its file opens the door; neither is said', async () => {
    await using directory = await scratch();
    await writeFile(directory.join('key'), 'key of old');
    await using receiver = await Receiver.listen({ security: { sharedKey: 'key of new' } });
    await using opened = await open({ ...to(receiver), sharedKey: Secret.fromFile(directory.join('key')) });
    const verdict = await write(opened, 'one');
    expect(verdict).toMatchObject({ became: 'paused', reason: expect.stringContaining('shared key mismatch') });
    await writeFile(directory.join('key'), 'key of new\n');
    await until(async () => (await write(opened, 'one')).became === 'delivered');
    expect(JSON.stringify([verdict, opened.said])).not.toMatch(/key of/);
  });

  test('a receiver that does not know the key itself is not believed', async () => {
    await using receiver = await Receiver.listen({ security: { sharedKey: key }, answer: 'lie about the key' });
    await using opened = await open({ ...to(receiver), sharedKey: Secret.of(key) });
    expect(await write(opened, 'one')).toMatchObject({ became: 'paused', reason: expect.stringContaining('mismatch') });
    expect(receiver.received).toEqual([]);
  });

  test('a receiver that asks for a key when there is none pauses the sink', async () => {
    await using receiver = await Receiver.listen({ answer: 'ask for a key' });
    await using opened = await open(to(receiver));
    expect(await write(opened, 'one')).toMatchObject({
      became: 'paused',
      reason: expect.stringContaining('shared key'),
    });
  });

  test('one that begins with PONG, or never begins, gets nothing', async () => {
    await using receiver = await Receiver.listen({ answer: 'begin with PONG' });
    const given = { ...to(receiver), sharedKey: Secret.of(key), connectTimeout: 100 };
    await using opened = await open(given);
    expect(await write(opened, 'one')).toMatchObject({ became: 'retry', reason: expect.stringContaining('HELO') });
    receiver.answer = 'acknowledge';
    expect(await write(opened, 'one')).toMatchObject({ became: 'retry', reason: expect.stringContaining('100ms') });
    expect(receiver.received).toEqual([]);
  });
});

describe('TLS', () => {
  const authority = () => makeCertificate({ name: 'authority', authority: true });

  test('a receiver is known by its authority, and no other is spoken to', async () => {
    await using directory = await scratch();
    const issuer = authority();
    await writeFile(directory.join('ca.crt'), issuer.cert);
    await using receiver = await Receiver.listen({ tls: makeCertificate({ issuer }) });
    await using stranger = await Receiver.listen({ tls: makeCertificate() });
    await using known = await open({ ...to(receiver), caFile: directory.join('ca.crt') });
    expect(await write(known, 'one')).toEqual({ became: 'delivered' });
    await using unknown = await open({ ...to(stranger), caFile: directory.join('ca.crt') });
    expect(await write(unknown, 'one')).toMatchObject({
      became: 'retry',
      reason: expect.stringContaining('self-signed'),
    });
    expect(stranger.received).toEqual([]);
  });

  test('a certificate for another name is refused, unless that name was meant; one that has expired is refused', async () => {
    await using directory = await scratch();
    const issuer = authority();
    await writeFile(directory.join('ca.crt'), issuer.cert);
    const caFile = directory.join('ca.crt');
    await using receiver = await Receiver.listen({ tls: makeCertificate({ issuer, hosts: ['logs.example'] }) });
    await using other = await open({ ...to(receiver), caFile });
    expect(await write(other, 'one')).toMatchObject({ became: 'retry', reason: expect.stringContaining('altnames') });
    await using meant = await open({ ...to(receiver), caFile, tlsServerName: 'logs.example' });
    expect(await write(meant, 'one')).toEqual({ became: 'delivered' });
    const expired = makeCertificate({ issuer, notAfter: new Date(Date.now() - 1000) });
    await using late = await Receiver.listen({ tls: expired });
    await using refused = await open({ ...to(late), caFile });
    expect(await write(refused, 'one')).toMatchObject({ became: 'retry', reason: expect.stringContaining('expired') });
  });

  test('authorities and the own certificate are followed when their files change', async () => {
    await using directory = await scratch();
    const issuers = [authority(), authority()] as const;
    await writeFile(directory.join('ca.crt'), issuers[0].cert);
    const files = await writeCertificate(directory.path, makeCertificate({ issuer: issuers[0] }));
    const given = { caFile: directory.join('ca.crt'), ...files };
    const first = await Receiver.listen({
      tls: { ...makeCertificate({ issuer: issuers[0] }), ca: issuers[0].cert, requestCert: true },
    });
    await using opened = await open({ ...to(first), ...given });
    expect(await write(opened, 'one')).toEqual({ became: 'delivered' });
    const { port } = first;
    await first[Symbol.asyncDispose]();
    await using second = await Receiver.listen({
      port,
      tls: { ...makeCertificate({ issuer: issuers[1] }), ca: issuers[1].cert, requestCert: true },
    });
    expect(await write(opened, 'two')).toMatchObject({ became: 'retry' });
    await writeFile(directory.join('ca.crt'), issuers[1].cert);
    await writeCertificate(directory.path, makeCertificate({ issuer: issuers[1] }));
    await until(async () => (await write(opened, 'two')).became === 'delivered');
    expect(second.lines).toContain('two');
  });
});

describe('connections', () => {
  test('a Unix socket will do', async () => {
    await using directory = await scratch();
    await using receiver = await Receiver.listen({ path: directory.join('forward.sock') });
    await using opened = await open({ socketPath: directory.join('forward.sock') });
    expect(await write(opened, 'one')).toEqual({ became: 'delivered' });
    expect(receiver.lines).toEqual(['one']);
  });

  test('of several addresses, the next is used when one refuses or is silent, and the first again after a while', async () => {
    await using first = await Receiver.listen({ answer: 'say nothing' });
    await using gone = await Receiver.listen();
    const nobody = { port: gone.port };
    await gone[Symbol.asyncDispose]();
    await using second = await Receiver.listen();
    await using opened = await open({ ...to(first, nobody, second), ackTimeout: 100, connectionAge: 300 });
    const batch = batchOf(opened.sink, ['one']);
    expect(await opened.write(batch)).toMatchObject({ became: 'retry' });
    expect(await opened.write(batch)).toEqual({ became: 'delivered' });
    expect(second.lines).toEqual(['one']);
    expect(await write(opened, 'two')).toEqual({ became: 'delivered' });
    expect(second.connections).toBe(1);
    first.answer = 'acknowledge';
    await until(async () => {
      await write(opened, 'three');
      return first.lines.includes('three');
    });
  });

  test('when nobody can be reached the reason names them all', async () => {
    await using receiver = await Receiver.listen();
    const { port } = receiver;
    await receiver[Symbol.asyncDispose]();
    await using opened = await open(to({ port }, { port }));
    expect(await write(opened, 'one')).toMatchObject({ reason: expect.stringMatching(/ECONNREFUSED.*ECONNREFUSED/) });
  });

  test('a connection that has become old is replaced between two batches', async () => {
    await using receiver = await Receiver.listen();
    await using opened = await open({ ...to(receiver), connectionAge: 30 });
    await until(async () => {
      expect(await write(opened, 'one')).toEqual({ became: 'delivered' });
      return receiver.connections >= 3;
    });
  });

  test('one that the receiver ended while it was idle is replaced without a failed attempt', async () => {
    await using receiver = await Receiver.listen();
    await using opened = await open(to(receiver));
    expect(await write(opened, 'one')).toEqual({ became: 'delivered' });
    receiver.hangUp();
    await until(async () => (await sockets(receiver)) === 0);
    // The end has arrived; it is known once the event loop has looked.
    await setImmediate();
    await setImmediate();
    expect(await write(opened, 'two')).toEqual({ became: 'delivered' });
    expect(receiver.connections).toBe(2);
  });
});

const sockets = ({ server }: Receiver) =>
  new Promise<number>((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });

for (const compress of ['gzip', 'zstd'] as const)
  test(`packets compressed with ${compress} hold the same records, and are the same in each attempt`, async () => {
    await using receiver = await Receiver.listen({ answer: 'say nothing' });
    await using opened = await open({ ...to(receiver), ackTimeout: 100, compress });
    const batch = batchOf(opened.sink, sequence(1, 1000));
    expect(await opened.write(batch)).toMatchObject({ became: 'retry' });
    receiver.answer = 'acknowledge';
    expect(await opened.write(batch)).toEqual({ became: 'delivered' });
    expect(receiver.lines).toEqual([...sequence(1, 1000), ...sequence(1, 1000)]);
    expect(receiver.compressed).toEqual([compress, compress]);
    expect(new Set(receiver.chunks).size).toBe(1);
  });

for (const [given, key] of [
  [{}, 'sinkForwardAddress'],
  [{ ...to({ port: 1 }), socketPath: '/x' }, 'sinkForwardAddress'],
  [{ ...to({ port: 1 }), username: 'ann' }, 'sinkForwardUsername'],
  [{ ...to({ port: 1 }), engine: 'client', compress: 'zstd' }, 'sinkForwardCompress'],
  [{ ...to({ port: 1 }), caFile: '/nonexistent/ca.crt' }, 'sinkForwardCaFile'],
] as const)
  test(`wrong parameters are said to be so: ${key} of ${JSON.stringify(given)}`, async () => {
    await expect(open(given)).rejects.toMatchObject({ key });
  });
