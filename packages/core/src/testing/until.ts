// Waiting for something to become true, with a deadline.

import { wait } from '../every.ts';

type Truthy<T> = Exclude<T, undefined | null | false | 0 | ''>;

/** Asks again and again until the answer is truthy, and returns it. Rejects at the deadline, saying what was awaited. */
export async function until<T>(
  ask: () => T | Promise<T>,
  { deadline = 10_000, what = 'the condition' }: { deadline?: number; what?: string | (() => string) } = {},
): Promise<Truthy<T>> {
  const end = performance.now() + deadline;
  for (let pause = 2; ; pause = Math.min(50, pause * 2)) {
    const answer = await ask();
    if (answer) return answer as Truthy<T>;
    if (performance.now() > end)
      throw new Error(`Waited ${deadline} ms in vain for ${typeof what === 'string' ? what : what()}`);
    await wait(pause);
  }
}
