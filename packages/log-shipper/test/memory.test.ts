import { readFile } from 'node:fs/promises';
import { freePort, limitMemory, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { Receiver } from './receiver.ts';
import { ledgerOf, metric, sequence, text, toForward, workplace } from './shipper.ts';

const [limit, other] = [limitMemory(256 * 1024 ** 2), limitMemory(256 * 1024 ** 2)];
const reason = typeof limit === 'string' ? ` (${limit})` : '';

test.skipIf(typeof limit === 'string')(
  `near its memory limit it leaves the lines in their files, and ships them all when memory is free${reason}`,
  async () => {
    if (typeof limit === 'string') return;
    await using group = limit;
    await using place = await workplace();
    await using receiver = await Receiver.listen();
    await using shipper = await place.ship(toForward(receiver.address));
    group.add(shipper.pid);
    // 20 MB: without the pause they would be gone between two looks.
    const lines = sequence(1, 100_000, 'x'.repeat(190));
    {
      await using _full = await group.fill(0.93);
      await place.append(text(lines));
      // Once the first batch is delivered nothing but memory keeps it from reading on, and it would read all of it at once.
      await until(async () => (await metric(shipper, 'delivered_bytes_total{sink="forward"}')) > 0);
      await until(async () => (await metric(shipper, 'checkpoints_total{result="written"}')) > 1);
      expect(await metric(shipper, 'read_bytes_total{sink="forward"}')).toBeLessThan(5_000_000);
      expect((await shipper.get('/livez')).status).toBe(200);
    }
    await receiver.hasAll(lines);
    await until(async () => (await ledgerOf(shipper)).files[0]?.lag === 0);
    expect(receiver.lines).toEqual(lines);
    expect(group.kills).toBe(0);
  },
);

test.skipIf(typeof other === 'string')(
  `near its memory limit it takes nothing from senders, who are told to come again, and all of it when memory is free${reason}`,
  async () => {
    if (typeof other === 'string') return;
    await using group = other;
    await using place = await workplace();
    await using receiver = await Receiver.listen();
    const address = `127.0.0.1:${await freePort()}`;
    await using shipper = await place.ship([
      ...toForward(receiver.address),
      ...['--source', 'http', '--source-http-address', address],
    ]);
    group.add(shipper.pid);
    const post = (body: string) =>
      fetch(`http://${address}/v1/logs`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body });
    {
      await using _full = await group.fill(0.93);
      const refused = await until(async () => {
        const response = await post('{"log":"one"}');
        return response.ok ? undefined : response;
      });
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    await until(async () => (await post('{"log":"two"}')).ok);
    await receiver.hasAll(['two']);
    expect(group.kills).toBe(0);
  },
);

test('a line of 128 MiB that never ends takes memory for a few of its pieces, and no more with each', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  await using shipper = await place.ship(toForward(receiver.address));
  const most = async () =>
    Number(/^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${shipper.pid}/status`, 'utf8'))![1]);
  const piece = Buffer.alloc(1 << 20, 'x');
  const growTo = async (pieces: number) => {
    for (let count = pieces - 64; count < pieces; count++) await place.append(piece);
    // The last may be all there is of its line.
    await until(() => receiver.received.length === pieces - 1);
    return most();
  };
  const before = await growTo(64);
  expect((await growTo(128)) - before).toBeLessThan(32_000);
  expect(receiver.received.every(({ record }) => record.partial === true)).toBe(true);
  expect(receiver.lines.every((line) => line.length === 1 << 20)).toBe(true);
  await place.append('\nnext\n');
  await receiver.hasAll(['next']);
});
