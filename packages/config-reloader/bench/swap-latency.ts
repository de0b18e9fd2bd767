// From the swap of `..data` to the application's signal handler, with the default settle time and with none, beside a
// signal that is sent by hand: what that takes is the machine's share (TMPDIR=/dev/shm leaves out the disk's). Exits 1
// when a budget is missed.

import { setTimeout as pause } from 'node:timers/promises';
import {
  handlesSighup,
  makeVolume,
  type RunningProgram,
  scratch,
  startProgram,
  uniqueName,
  until,
} from '@outrigger/core/testing';
import { startReloader } from '../test/support/reloader.ts';

const swaps = 300;
const keys = 10;

/** Milliseconds from each cause, which returns the time of the monotonic clock, to its signal handler; sorted. */
async function measure(program: RunningProgram, cause: (at: number) => Promise<bigint>): Promise<number[]> {
  const latencies: number[] = [];
  for (let at = 1; at <= swaps; at++) {
    const caused = await cause(at);
    await until(() => program.lines.length === at + 1, { what: `signal ${at}` });
    const handled = BigInt(program.lines.at(-1)!.split(' ')[2]!);
    latencies.push(Number(handled - caused) / 1e6);
    await pause(20);
  }
  return latencies.sort((a, b) => a - b);
}

async function byHand(): Promise<number[]> {
  await using directory = await scratch();
  await using program = await startProgram(directory.join(uniqueName()), handlesSighup);
  return await measure(program, async () => {
    const now = process.hrtime.bigint();
    program.kill('SIGHUP');
    return now;
  });
}

async function bySwap(...args: readonly string[]): Promise<number[]> {
  await using directory = await scratch();
  const name = uniqueName();
  const files = (at: number) =>
    Object.fromEntries(Array.from({ length: keys }, (_, key) => [`key${key}.conf`, `${at} ${'x'.repeat(4096)}`]));
  const volume = await makeVolume(directory.join('config'), files(0));
  await using program = await startProgram(directory.join(name), handlesSighup);
  const signal = ['--notify', 'signal', '--notify-signal-process', name];
  await using _ = await startReloader(['--watch', volume.path, ...signal, '--reconcile', '1h', ...args]);
  return await measure(program, (at) => volume.swap(files(at)));
}

function report(name: string, sorted: readonly number[], budget = Number.POSITIVE_INFINITY): void {
  const at = (quantile: number) => sorted[Math.floor((sorted.length - 1) * quantile)]!;
  const verdict =
    budget === Number.POSITIVE_INFINITY ? '' : `  p99 under ${budget}: ${at(0.99) < budget ? 'met' : 'MISSED'}`;
  const shown = [at(0.5), at(0.99), at(1)].map((value) => value.toFixed(1).padStart(7));
  console.log(`${name.padEnd(16)} p50 ${shown[0]}  p99 ${shown[1]}  most ${shown[2]}${verdict}`);
  if (at(0.99) >= budget) process.exitCode = 1;
}

console.log(`${swaps} swaps of ${keys} keys of 4 KiB, milliseconds from swap to signal handler`);
report('signal by hand', await byHand());
report('settle default', await bySwap(), 150);
report('settle off', await bySwap('--settle', '0'), 20);
