import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { byTurns } from '../src/by-turns.ts';

async function* numbers(from: number, to: number): AsyncGenerator<number> {
  for (let number = from; number <= to; number++) yield number;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

describe('byTurns', () => {
  it('gives all there is, each stream in its order and none of them before its turn', async () => {
    const all = await Array.fromAsync(byTurns([numbers(1, 3), numbers(11, 13), numbers(21, 21)]));
    expect(all).toEqual([1, 11, 21, 2, 12, 3, 13]);
  });

  it('throws what one of them throws', async () => {
    const failing = (async function* () {
      yield 1;
      throw new Error('the disk is gone');
    })();
    await expect(Array.fromAsync(byTurns([failing, numbers(1, 5)]))).rejects.toThrow('the disk is gone');
  });

  it('keeps nothing of a stream that is busy while another is silent', async () => {
    const silence = Promise.withResolvers<void>();
    const silent = (async function* () {
      await silence.promise;
      yield 0;
    })();
    const read = byTurns([numbers(1, 400_000), silent]);
    const used = async (count: number) => {
      for (let index = 0; index < count; index++) await read.next();
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = await used(10_000);
    // A few dozen bytes for each would be more than this.
    expect((await used(380_000)) - before).toBeLessThan(8_000_000);
    silence.resolve();
    expect(await Array.fromAsync(read)).toHaveLength(10_001);
  });
});
