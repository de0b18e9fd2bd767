// Waits between attempts that keep failing.

import { parseDuration } from './parameters/units.ts';

export type Backoff = {
  /** No wait is longer, in milliseconds. */
  readonly longest: number;
  /** How long to wait before the next attempt, in milliseconds. */
  next(): number;
  /** An attempt succeeded. */
  reset(): void;
};

/** From the shortest wait to the longest, as `500ms` or in milliseconds. */
export type BackoffOptions = { readonly min: string | number; readonly max: string | number };

/**
 * Doubling with full jitter: each wait is drawn evenly between `min` and a ceiling that doubles up to `max`, so that many
 * sidecars of one failed peer do not come back in step. With `min` and `max` the same, every wait is that.
 */
export function backoff({ min, max }: BackoffOptions): Backoff {
  const floor = milliseconds(min);
  const limit = Math.max(floor, milliseconds(max));
  let ceiling = floor;
  return {
    longest: limit,
    next() {
      ceiling = Math.min(limit, ceiling * 2);
      return floor + Math.random() * (ceiling - floor);
    },
    reset() {
      ceiling = floor;
    },
  };
}

const milliseconds = (written: string | number) => (typeof written === 'number' ? written : parseDuration(written));
