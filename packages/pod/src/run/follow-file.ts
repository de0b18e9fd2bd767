// Follows one file, however it is written: in place, or by a rename over it as editors do.

import { readFile } from 'node:fs/promises';
import { openWatcher, type WatcherOptions } from '@outrigger/core/watch';

type Follow = Pick<WatcherOptions, 'complained'> & {
  readonly signal: AbortSignal;
  /** Called with the new text; never while a call is under way. */
  readonly changed: (text: string) => Promise<void>;
};

// Where the file system tells nothing (network, some container mounts).
const pollMilliseconds = 2_000;

/** Ends when the signal aborts and no call is under way. @param seen the text that is known already. */
export async function followFile(file: string, seen: string, { signal, changed, ...told }: Follow): Promise<void> {
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  let known = seen;
  await using _ = await openWatcher({
    paths: [file],
    reconcile: pollMilliseconds,
    ...told,
    async changed() {
      const text = await readFile(file, 'utf8');
      if (text === known || signal.aborted) return;
      await changed(text);
      known = text;
    },
  });
  if (!signal.aborted) await aborted;
}
