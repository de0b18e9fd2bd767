// The packets made by hand, against those of the library's own client: whatever the records are, the library's own server
// must make the same of both.

import { writeFile } from 'node:fs/promises';
import { type EventTime, FluentServer } from '@fluent-org/logger';
import { makeAddress, Secret } from '@outrigger/core';
import { makeCertificate, scratch, until } from '@outrigger/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Fields, Records } from '../../src/records.ts';
import { forward } from '../../src/sink/forward.ts';
import { recordsOf } from '../chunk.ts';
import { batchOf, openSink } from './open-sink.ts';

type Entry = { readonly tag: string; readonly seconds: number; readonly nanos: number; readonly record: object };
type Security = NonNullable<ConstructorParameters<typeof FluentServer>[0]>['security'];

async function listen(options: { tlsOptions?: { cert: string; key: string }; security?: Security } = {}) {
  const server = new FluentServer({ listenOptions: { host: '127.0.0.1', port: 0 }, ...options });
  const entries: Entry[] = [];
  server.on('entry', (tag: string, { epoch, nano }: EventTime, record: object) =>
    entries.push({ tag, seconds: epoch, nanos: nano, record }),
  );
  await server.listen();
  return {
    entries,
    given: { address: [makeAddress('127.0.0.1', server.port!)], ackTimeout: 5000 },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

const word = fc.string({ unit: 'binary', maxLength: 40 });
const integer = fc.oneof(
  fc.integer({ min: -300, max: 300 }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(127, 128, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32, -32, -33, -128, -129, -(2 ** 31)),
);
// Minus zero is what JSON has no need of.
const fraction = fc.double({ noNaN: true }).map((number) => number || 0);
const scalar = fc.oneof(word, integer, fraction, fc.boolean(), fc.constant(null));
const key = word.filter((name) => name !== '__proto__');
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('any'), { maxLength: 20 }),
    fc.dictionary(key, tie('any')),
  ),
})).any;
const fields = fc.dictionary(key, value, { maxKeys: 20 });
const instant = fc.record({
  seconds: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  nanos: fc.integer({ min: 0, max: 999_999_999 }),
});
const record = fc.record({
  line: fc.string({ unit: 'grapheme', maxLength: 300 }).map((line) => line.replaceAll('\n', ' ')),
  fields: fc.option(fields, { nil: undefined }),
  time: fc.option(instant, { nil: undefined }),
});
type Made = { line: string; fields: Fields | undefined; time: { seconds: number; nanos: number } | undefined };

function recordsFrom(made: readonly Made[]): Records {
  const records = recordsOf(made.map(({ line }) => line));
  records.fields = made.map(({ fields }) => fields as Fields | undefined);
  records.times = {
    seconds: Float64Array.from(made, ({ time }) => time?.seconds ?? Number.NaN),
    nanos: Uint32Array.from(made, ({ time }) => time?.nanos ?? 0),
  };
  records.common = { service: 'billing' };
  return records;
}

for (const compress of ['none', 'gzip'])
  test(`both engines give a receiver the same tags, times and records, compressed by ${compress}`, async () => {
    await using byHand = await listen();
    await using byClient = await listen();
    const given = { tag: 'billing.log', compress };
    await using packed = await openSink(forward, { ...given, ...byHand.given, engine: 'packed' });
    await using client = await openSink(forward, { ...given, ...byClient.given, engine: 'client' });
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 30 }), async (made) => {
        byHand.entries.length = 0;
        byClient.entries.length = 0;
        const records = recordsFrom(made as Made[]);
        expect(await packed.write(batchOf(packed.sink, records))).toEqual({ became: 'delivered' });
        expect(await client.write(batchOf(client.sink, records))).toEqual({ became: 'delivered' });
        // The server acknowledges before it tells of the entries.
        await until(() => byHand.entries.length >= made.length && byClient.entries.length >= made.length);
        expect(byHand.entries).toEqual(byClient.entries);
        expect(byHand.entries.map(({ record }) => record)).toEqual(
          made.map(({ line, fields }) => ({ ...((fields as Fields) ?? { log: line }), service: 'billing' })),
        );
      }),
      { numRuns: 60, verbose: true },
    );
  });

for (const engine of ['packed', 'client'])
  test(`${engine}: the library's server lets it in by key, user and TLS, and keeps others out`, async () => {
    await using directory = await scratch();
    const tlsOptions = makeCertificate();
    await writeFile(directory.join('ca.crt'), tlsOptions.cert);
    const security = { serverHostname: 'receiver', sharedKey: 'a key', authorize: true, userDict: { ann: 'secret' } };
    await using server = await listen({ tlsOptions, security });
    const given = { ...server.given, engine, caFile: directory.join('ca.crt'), username: 'ann' };
    const right = { ...given, sharedKey: Secret.of('a key'), password: Secret.of('secret') };
    await using opened = await openSink(forward, right);
    expect(await opened.write(batchOf(opened.sink, ['one']))).toEqual({ became: 'delivered' });
    expect(await opened.write(batchOf(opened.sink, ['two']))).toEqual({ became: 'delivered' });
    await until(() => server.entries.length === 2);
    await using stranger = await openSink(forward, { ...right, sharedKey: Secret.of('another'), ackTimeout: 300 });
    expect((await stranger.write(batchOf(stranger.sink, ['three']))).became).not.toBe('delivered');
    expect(server.entries.length).toBe(2);
  });

test('client: a receiver that is gone is a reason to try again, and one that comes back gets the batch', async () => {
  const first = await listen();
  const { given } = first;
  await using opened = await openSink(forward, { ...given, engine: 'client' });
  await first[Symbol.asyncDispose]();
  const batch = batchOf(opened.sink, ['one', 'two']);
  expect(await opened.write(batch)).toMatchObject({ became: 'retry', reason: expect.stringContaining('ECONNREFUSED') });
  const server = new FluentServer({ listenOptions: { host: '127.0.0.1', port: given.address[0]!.port } });
  await server.listen();
  expect(await opened.write(batch)).toEqual({ became: 'delivered' });
  await opened[Symbol.asyncDispose]();
  await server.close();
});
