// The counting receiver from outside, and lines for it.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from '@outrigger/core/testing';
import type { Count, CountingOptions } from './counting-receiver.ts';

export type Counting = AsyncDisposable & {
  readonly address: string;
  /** What has come of lines of that name. */
  of(name: string): Promise<Count>;
};

export async function startCounting(options: Partial<CountingOptions> = {}): Promise<Counting> {
  const port = options.port ?? (await freePort());
  const script = fileURLToPath(import.meta.resolve('./counting-receiver.ts'));
  const child = fork(script, [JSON.stringify({ port, delay: options.delay ?? 0 })], { execArgv: [] });
  await once(child, 'message');
  return {
    address: `127.0.0.1:${port}`,
    async of(name) {
      const answered = once(child, 'message');
      child.send('how many');
      const [counts] = (await answered) as [Record<string, Count>];
      return counts[name] ?? { next: 0, again: 0, early: 0 };
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

/** Lines of so many bytes each, newline included; the first has the number `from`. */
export function numbered(
  name: string,
  { from, count, length }: { from: number; count: number; length: number },
): Buffer {
  const block = Buffer.alloc(count * length, 'abcdefghijklmnopqrstuvwxyz 0123456789 ');
  for (let index = 0; index < count; index++) {
    block.write(`${name} ${String(from + index).padStart(10, '0')} `, index * length, 'latin1');
    block[(index + 1) * length - 1] = 0x0a;
  }
  return block;
}
