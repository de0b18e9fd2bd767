// Work on files in slices: synchronously, and with a breath for the probes in between.
//
// A look is a hundred calls of a few microseconds each. Through libuv's threads each of them costs ten times that and two
// switches of context, which a busy machine makes milliseconds. A file system that hangs then holds up the liveness
// probe, too: that is what the probe is for.

import { setImmediate } from 'node:timers/promises';

const longest = 10;

/** Awaited between two calls. Waits only when the slice has become too long. */
export type Breathe = () => Promise<void> | undefined;

export function openSlices(): Breathe {
  let begun = performance.now();
  return () => {
    if (performance.now() - begun < longest) return undefined;
    return setImmediate().then(() => {
      begun = performance.now();
    });
  };
}
