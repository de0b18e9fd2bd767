// Waiting and repeating that end at once when they are told to.

/** Resolves after `milliseconds`, or as soon as the signal aborts: for loops that look at the signal themselves. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  // The only thing that wait rejects with is that signal.
  return wait(milliseconds, signal).catch(() => undefined);
}

/** Resolves after `milliseconds`, rejects with the signal's reason as soon as it aborts. */
export function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, milliseconds);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
  });
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
