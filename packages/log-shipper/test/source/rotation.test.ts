// Rotation, in every combination of how it is done, who is running and what fails meanwhile: each line arrives, and once
// where nobody is killed. copytruncate has a gap of its own, between the copy and the truncation: nothing is written there,
// except in the last test.

import { copyFile, open, readFile, rename, truncate } from 'node:fs/promises';
import { type RunningSidecar, until } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import type { Positions } from '../../src/checkpoint.ts';
import { Receiver } from '../receiver.ts';
import { ledgerOf, metric, sequence, text, toForward, workplace } from '../shipper.ts';

type Place = Awaited<ReturnType<typeof workplace>>;

/** The application, and the rotator that tells it to open its file again. */
class Application {
  written = 0;
  readonly #place: Place;
  readonly #atOnce: number;
  readonly #rotated: string[] = [];

  constructor(place: Place, writer: 'fast' | 'slow') {
    this.#place = place;
    this.#atOnce = writer === 'fast' ? 1000 : 1;
  }

  /** Fast: in one piece. Slow: line by line, with others having a turn between them. */
  async write(lines: number, file = this.#place.log()): Promise<void> {
    const writer = await open(file, 'a');
    for (let left = lines; left > 0; left -= this.#atOnce) {
      const count = Math.min(left, this.#atOnce);
      await writer.appendFile(text(sequence(this.written + 1, this.written + count)));
      this.written += count;
    }
    await writer.close();
  }

  async #shift(): Promise<string> {
    const { log } = this.#place;
    for (let older = this.#rotated.length; older >= 1; older--)
      await rename(log(`app.log.${older}`), log(`app.log.${older + 1}`));
    this.#rotated.push('app.log');
    return log('app.log.1');
  }

  /** The application goes on writing to the file it has open, for a while. */
  async rename(): Promise<void> {
    const rotated = await this.#shift();
    await rename(this.#place.log(), rotated);
    await this.write(20, rotated);
  }

  async copytruncate(): Promise<void> {
    const copy = await this.#shift();
    await copyFile(this.#place.log(), copy);
    await truncate(this.#place.log());
  }
}

// Small, so that one that is on its way when somebody is killed is few lines.
const batchLimit = 1024;
const mostInBatch = Math.ceil(batchLimit / 'line 1\n'.length);

const isDone = async (shipper: RunningSidecar) => (await ledgerOf(shipper)).files.every(({ lag }) => lag === 0);

/** Everything is acknowledged, and that is on the disk. */
async function settled(shipper: RunningSidecar, place: Place): Promise<void> {
  await until(() => isDone(shipper), { deadline: 30_000 });
  const { files } = await ledgerOf(shipper);
  const acknowledged = Object.fromEntries(files.map(({ inode, acknowledged }) => [inode, acknowledged]));
  const written = async () => {
    const { files }: Positions = JSON.parse(await readFile(place.state('positions.json'), 'utf8'));
    return files.length > 0 && files.every(({ inode, sinks }) => sinks.forward?.offset === acknowledged[inode]);
  };
  await until(written, { deadline: 30_000 });
}

/** `1-100 201-300`: what has come, in the order in which it came. */
function ranges(lines: readonly string[]): string {
  const found: [number, number][] = [];
  for (const line of lines) {
    const number = Number(line.slice('line '.length));
    const last = found.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([from, to]) => `${from}-${to}`).join(' ');
}

type Case = {
  readonly how: 'rename' | 'copytruncate';
  readonly shipper: 'running' | 'stopped';
  readonly writer: 'fast' | 'slow';
  readonly sink: 'up' | 'down';
  readonly then: 'killed and started' | 'not killed';
};

const cases: Case[] = [];
for (const how of ['rename', 'copytruncate'] as const)
  for (const shipper of ['running', 'stopped'] as const)
    for (const writer of ['fast', 'slow'] as const)
      for (const sink of ['up', 'down'] as const)
        for (const then of ['not killed', 'killed and started'] as const)
          cases.push({ how, shipper, writer, sink, then });

async function rotateTwice({ how, shipper: state, writer, sink, then }: Case): Promise<void> {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  const application = new Application(place, writer);
  const args = [...toForward(receiver.address), '--batch-limit', String(batchLimit)];
  const start = () => place.ship(args, { deadline: 40_000 });
  const lines = writer === 'fast' ? 1000 : 50;
  await using stack = new AsyncDisposableStack();
  const hasAll = () => receiver.hasAll(sequence(1, application.written), 40_000);

  let shipper = stack.use(await start());
  await application.write(lines);
  await hasAll();
  await settled(shipper, place);
  if (state === 'stopped') {
    shipper.kill('SIGTERM');
    expect(await shipper.exited).toEqual({ code: 0, signal: null });
  }
  if (sink === 'down') receiver.answer = 'hang up';
  for (let rotation = 0; rotation < 2; rotation++) {
    await application.write(lines);
    await application[how]();
  }
  await application.write(lines);

  const killed = then === 'killed and started';
  if (state === 'running' && sink === 'up') {
    await hasAll();
    await settled(shipper, place);
  }
  if (killed) {
    const before = receiver.lines.length;
    // Delivered and not acknowledged: the worst moment.
    if (sink === 'up') receiver.answer = 'say nothing';
    if (state === 'stopped') shipper = stack.use(await start());
    else await application.write(lines);
    if (sink === 'up') await until(() => receiver.lines.length > before);
    shipper.kill('SIGKILL');
    await shipper.exited;
  }
  receiver.answer = 'acknowledge';
  if (killed || state === 'stopped') shipper = stack.use(await start());

  await hasAll();
  await until(() => isDone(shipper), { deadline: 30_000 });
  if (!killed || sink === 'down') expect(ranges(receiver.lines)).toBe(`1-${application.written}`);
  else {
    expect(ranges([...new Set(receiver.lines)])).toBe(`1-${application.written}`);
    expect(receiver.lines.length - application.written).toBeLessThanOrEqual(mostInBatch);
  }
  expect(await metric(shipper, 'lost_bytes_total{reason="truncated"}')).toBe(0);
  expect(await metric(shipper, 'lost_bytes_total{reason="removed"}')).toBe(0);
}

describe.concurrent('rotated twice', () => {
  test.each(cases)(
    'by $how, shipper $shipper, writer $writer, sink $sink, $then',
    (each) => rotateTwice(each),
    120_000,
  );
});

test('what is written between the copy and the truncation is in neither, and is counted', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  const args = [...toForward(receiver.address), '--batch-limit', '4KiB', '--line-limit', '1KiB'];
  await using shipper = await place.ship(args);
  receiver.answer = 'hang up';
  // More than is read while the sink is down.
  const before = sequence(1, 20_000, 'x'.repeat(100));
  const [between, after] = [sequence(1, 10, 'between'), sequence(1, 10, 'after')];
  const seen = (lines: readonly string[]) =>
    until(async () => (await ledgerOf(shipper)).files[0]?.size === text(lines).length);
  await place.append(text(before));
  await seen(before);
  await copyFile(place.log(), place.log('app.log.1'));
  await place.append(text(between));
  await seen([...before, ...between]);
  await truncate(place.log());
  await place.append(text(after));
  await until(async () => (await metric(shipper, 'truncations_total')) === 1);
  expect(await metric(shipper, 'lost_bytes_total{reason="truncated"}')).toBe(text(between).length);
  receiver.answer = 'acknowledge';
  await receiver.hasAll([...before, ...after], 30_000);
  expect(receiver.lines).toEqual([...before, ...after]);
});
