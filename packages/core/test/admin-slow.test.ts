// Clients of the admin listener that are too slow, on purpose or because they are stuck: what each may take, and that it
// ends in time. The tests wait side by side for times that are fixed.

import { describe, expect, test } from 'vitest';
import { limits } from '../src/admin/limits.ts';
import { until } from '../src/testing/index.ts';
import { connectRaw, type RawClient, request, statuses } from './support/raw-client.ts';
import { mostMegabytes, useVictim } from './support/victim.ts';

const victim = useVictim();

/** How late a limit may take effect on a machine with other things to do. */
const late = limits.lookPeriod + 4_000;

describe.concurrent('in time', () => {
  test('a head that comes a byte at a time gets 408', async () => {
    using client = await connectRaw(victim.sidecar.url);
    const took = await drip(client, `GET /livez HTTP/1.1\r\nHost: a\r\nx: ${'a'.repeat(1_000)}`);
    expect(statuses(client.received)).toEqual([408]);
    expect(took).toBeGreaterThan(limits.headTime - 100);
    expect(took).toBeLessThan(limits.headTime + late);
  });

  test('a body that comes a byte at a time gets 408 or the end', async () => {
    using client = await connectRaw(victim.sidecar.url);
    client.socket.write(request('POST /v1/items', 'Content-Type: application/json', 'Content-Length: 1000'));
    const took = await drip(client, ' '.repeat(1_000));
    expect([[408], []]).toContainEqual(statuses(client.received));
    expect(took).toBeLessThan(limits.requestTime + late);
  });

  test('a connection that says nothing is closed', async () => {
    using client = await connectRaw(victim.sidecar.url);
    const took = await timed(() => client.rest(limits.headTime + late));
    expect(took).toBeGreaterThan(limits.headTime - 100);
  });

  test('a connection that is kept for nothing is closed', async () => {
    using client = await connectRaw(victim.sidecar.url);
    client.socket.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n');
    await timed(() => client.rest(limits.idleTime + late));
    expect(statuses(client.received)).toEqual([200]);
  });

  test('a client that never reads its answers is cut off once the kernel takes no more of them', async () => {
    using client = await connectRaw(victim.sidecar.url);
    client.socket.pause();
    // One at a time: many at once would be refused.
    const timer = setInterval(() => client.socket.write('GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n'), 20);
    using _ = { [Symbol.dispose]: () => clearInterval(timer) };
    const took = await timed(() => until(() => client.socket.destroyed, { deadline: limits.answerTime + 20_000 }));
    expect(took).toBeGreaterThan(limits.answerTime);
    expect(victim.grown()).toBeLessThan(mostMegabytes);
  });
});

const timed = async (task: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now();
  await task();
  return performance.now() - begun;
};

/** Sends a byte every 50 ms until the other side has had enough; returns how long it listened, in milliseconds. */
async function drip(client: RawClient, text: string): Promise<number> {
  let sent = 0;
  const timer = setInterval(() => client.socket.write(text[sent++] ?? 'a'), 50);
  try {
    return await timed(() => client.rest(60_000));
  } finally {
    clearInterval(timer);
  }
}
