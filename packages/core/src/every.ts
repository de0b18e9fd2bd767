// Waiting and repeating that end at once when they are told to.

/** 24.8 days. Beyond that a timer of Node.js fires at once. */
const longestTimer = 2 ** 31 - 1;

/** Resolves after `milliseconds`, or as soon as the signal aborts: for loops that look at the signal themselves. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(milliseconds, longestTimer));
    signal?.addEventListener('abort', end, { once: true });
  });
}

/** Resolves after `milliseconds`, rejects with the signal's reason as soon as it aborts. */
export async function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await pause(milliseconds, signal);
  signal?.throwIfAborted();
}

/**
 * Runs the task at once and again after each wait; two runs never overlap. Resolves when the signal aborts, rejects with
 * what the task throws.
 */
export async function every(
  period: number | (() => number),
  signal: AbortSignal,
  task: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  try {
    while (!signal.aborted) {
      await task(signal);
      await wait(typeof period === 'number' ? period : period(), signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
