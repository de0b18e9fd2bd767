// Two gigabytes that have gathered while the receiver was away: shipped with memory that does not grow, past a process that
// was stopped for a while, and without letting a small file wait.

import { closeSync, openSync, writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort, until } from '@outrigger/core/testing';
import { expect, test, vi } from 'vitest';
import { type Counting, numbered, startCounting } from '../../packages/log-shipper/test/oracle/counting.ts';
import { workplace } from './log-shipper/program.ts';
import { memoryOf } from './processes.ts';

vi.setConfig({ testTimeout: 300_000 });

const mebibyte = 1024 ** 2;
const length = 1000;
const block = 10_000;
const blocks = 205;
const lines = block * blocks;

/** Private memory at any time. Measured: 43 MiB. */
const most = 96 * mebibyte;
/** From the first quarter of the backlog to its end. Measured: 6 MiB, of the heap between two collections. */
const growth = 16 * mebibyte;

test('2 GB are shipped with flat memory once the receiver is back, and a small file is not held up by them', async () => {
  await using place = await workplace();
  const port = await freePort();
  await using shipper = await place.ship(['--sink', 'forward', '--sink-forward-address', `127.0.0.1:${port}`]);
  write(place.log('big.log'));
  await until(() => shipper.logs().some(({ code }) => code === 'LOG_SHIPPER_SINK_DOWN'));
  await using receiver = await startCounting({ port });
  const memory = new Memory(shipper.pid);
  await backTo(receiver, 1);
  const begun = performance.now();
  await backTo(receiver, lines / 4);
  const early = memory.peak;
  // Written now, behind a gigabyte and a half of others, and not read after them.
  const small = openSync(place.log('small.log'), 'a');
  writeSync(small, numbered('small', { from: 0, count: 10, length: 100 }));
  await until(async () => (await receiver.of('small')).next === 10, { deadline: 20_000, what: 'the small file' });
  const passed = (await receiver.of('big')).next;
  expect(passed).toBeLessThan(lines * 0.9);
  shipper.kill('SIGSTOP');
  await wait(5_000);
  shipper.kill('SIGCONT');
  writeSync(small, numbered('small', { from: 10, count: 10, length: 100 }));
  closeSync(small);
  await backTo(receiver, lines);
  await until(async () => (await receiver.of('small')).next === 20, { what: 'the rest of the small file' });
  const seconds = (performance.now() - begun) / 1000 - 5;
  memory.end();
  const mebibytes = (bytes: number) => (bytes / mebibyte).toFixed(1);
  process.stdout.write(
    `${lines} lines in ${seconds.toFixed(1)} s; private MiB at most: ${mebibytes(early)} in the first quarter, ${mebibytes(memory.peak)} in all\n`,
  );
  expect(await receiver.of('big')).toMatchObject({ next: lines, early: 0 });
  expect(memory.peak).toBeLessThan(most);
  expect(memory.peak - early).toBeLessThan(growth);
});

function write(path: string): void {
  const file = openSync(path, 'a');
  for (let at = 0; at < blocks; at++) writeSync(file, numbered('big', { from: at * block, count: block, length }));
  closeSync(file);
}

/** Until so many lines of the large file have come. The first waits until the receiver is tried again. */
async function backTo(receiver: Counting, wanted: number): Promise<void> {
  let count = await receiver.of('big');
  await until(
    async () => {
      count = await receiver.of('big');
      return count.next >= wanted;
    },
    { deadline: 150_000, what: () => `${wanted} lines: ${JSON.stringify(count)}` },
  );
}

/** Bytes that nobody else has in memory, looked at again and again. */
class Memory {
  peak = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.#timer = setInterval(() => {
      this.peak = Math.max(this.peak, memoryOf(pid).private);
    }, 100);
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
