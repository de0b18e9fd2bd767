// Waits between attempts that keep failing.

import { parseDuration } from './parameters/units.ts';

export type Backoff = {
  /** How long to wait before the next attempt, in milliseconds. */
  next(): number;
  /** An attempt succeeded. */
  reset(): void;
};

/**
 * Doubling with full jitter: each wait is drawn evenly between `min` and a ceiling that doubles up to `max`, so that many
 * sidecars of one failed peer do not come back in step.
 */
export function backoff({ min, max }: { min: string; max: string }): Backoff {
  const floor = parseDuration(min);
  const limit = parseDuration(max);
  let ceiling = floor;
  return {
    next() {
      ceiling = Math.min(limit, ceiling * 2);
      return floor + Math.random() * (ceiling - floor);
    },
    reset() {
      ceiling = floor;
    },
  };
}
