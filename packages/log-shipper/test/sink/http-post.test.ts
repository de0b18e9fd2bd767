// What the transport does for all sinks, where one of them stands for all.

import { createHash } from 'node:crypto';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { PlainHttpReceiver } from '../receivers/plain-http.ts';
import { sequence } from '../shipper.ts';
import { openSink, openTo } from './http-peers.ts';

const delivered = { became: 'delivered' };

test('a name is resolved anew for each connection, and not for each request', async () => {
  const resolved: string[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as { detail?: { hostname?: string } }[])
      resolved.push(String(entry.detail?.hostname));
  });
  observer.observe({ entryTypes: ['dns'] });
  await using receiver = await PlainHttpReceiver.listen();
  await using to = await openSink('http', ['--sink-http-url', `http://localhost:${receiver.port}/logs`]);
  const lookups = () => resolved.filter((name) => name === 'localhost').length;
  for (const line of ['one', 'two']) expect(await to.write([line])).toEqual(delivered);
  await until(() => lookups() === 1);
  receiver.hangUp();
  expect(await to.write(['three'])).toEqual(delivered);
  await until(() => lookups() === 2);
  observer.disconnect();
  expect([receiver.lines, receiver.connections]).toEqual([['one', 'two', 'three'], 2]);
});

test.each(['gzip', 'zstd'])('%s of megabytes stops nothing else', async (compression) => {
  await using receiver = await PlainHttpReceiver.listen();
  const hard = ['--sink-http-compression', compression, '--sink-http-compression-level', '9'];
  await using to = await openTo('http', receiver, hard);
  // What compresses badly takes long.
  const lines = sequence(1, 60_000).map((line) => `${line} ${createHash('sha256').update(line).digest('base64')}`);
  const batch = to.batch(lines);
  receiver.fail({ fault: 'answer', status: 503 });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const begun = performance.now();
  const writing = to.sink.write(batch, AbortSignal.timeout(30_000));
  delay.enable();
  expect(await writing).toMatchObject({ became: 'retry' });
  delay.disable();
  const took = performance.now() - begun;
  // The main thread had turns while the pool compressed.
  expect(delay.max / 1e6).toBeLessThan(took / 2);
  expect(receiver.requests[0]!.bytes).toBeLessThan(batch.bytes.length);
});

test('a receiver that reads slowly, and goes on reading, is not given up', async () => {
  await using receiver = await PlainHttpReceiver.listen();
  const args = ['--sink-http-timeout', '3s', '--sink-http-compression', 'none', '--sink-http-format', 'lines'];
  await using to = await openTo('http', receiver, args);
  const large = Array.from({ length: 300 }, (_, at) => `${at} ${'x'.repeat(60_000)}`);
  // So much that the kernel cannot hold all of it on the way.
  receiver.fail({ fault: 'slow read', milliseconds: 30, bytes: 8_000_000 });
  const begun = performance.now();
  expect(await to.write(large)).toEqual(delivered);
  expect(performance.now() - begun).toBeGreaterThan(3000);
  expect(receiver.lines.length).toBe(300);
});

test('requests too small for it are not compressed', async () => {
  await using receiver = await PlainHttpReceiver.listen();
  await using to = await openTo('http', receiver);
  expect(await to.write(['one'])).toEqual(delivered);
  expect(await to.write(sequence(1, 100))).toEqual(delivered);
  expect(receiver.requests.map(({ headers }) => headers['content-encoding'])).toEqual([undefined, 'gzip']);
});

test('a query that holds a token is sent and not shown', async () => {
  await using receiver = await PlainHttpReceiver.listen();
  await using to = await openSink('http', ['--sink-http-url', `${receiver.url}?token=open-sesame`]);
  receiver.fail({ fault: 'half close' });
  const error = await to.write(['one']).catch((thrown: Error) => thrown);
  expect(String(error)).toContain(receiver.url);
  expect(`${error} ${(error as Error).cause}`).not.toContain('open-sesame');
  expect(await to.write(['one'])).toEqual(delivered);
  expect(receiver.requests.at(-1)!.path).toBe('/logs?token=open-sesame');
});
