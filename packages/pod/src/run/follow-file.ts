// Sees that a file changed, however it is written: in place, or by a rename over it as editors do.

import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { every, wait } from '@outrigger/core';

const settleMilliseconds = 50;
// Where the file system tells nothing (network, some container mounts).
const pollMilliseconds = 2_000;

type Follow = {
  readonly signal: AbortSignal;
  /** Called with the new text; never while a call is under way. */
  readonly changed: (text: string) => Promise<void>;
};

/** Ends when the signal aborts. @param seen the text that is known already. */
export async function followFile(file: string, seen: string, { signal, changed }: Follow): Promise<void> {
  let known = seen;
  let woken = Promise.withResolvers<void>();
  const watcher = watchDirectory(file, () => woken.resolve());
  try {
    await every(0, signal, async () => {
      await Promise.race([woken.promise, wait(pollMilliseconds, signal)]);
      woken = Promise.withResolvers();
      const text = await settled(file, signal);
      if (text === undefined || text === known) return;
      known = text;
      await changed(text);
    });
  } finally {
    watcher?.close();
  }
}

function watchDirectory(file: string, wake: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(dirname(file), (_, name) => {
      if (name === null || name === basename(file)) wake();
    });
    // Polling goes on without it.
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

/** The text once it stays the same for a moment: an editor may write in pieces. undefined while the file is away. */
async function settled(file: string, signal: AbortSignal): Promise<string | undefined> {
  let text = await readFile(file, 'utf8').catch(() => undefined);
  for (;;) {
    await wait(settleMilliseconds, signal);
    const again = await readFile(file, 'utf8').catch(() => undefined);
    if (again === text) return text;
    text = again;
  }
}
