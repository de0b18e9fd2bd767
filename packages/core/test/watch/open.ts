// A watcher of the test's own, and what it told.

import type { Fault } from '../../src/errors.ts';
import { until } from '../../src/testing/index.ts';
import { type Change, type Look, openWatcher, type Watcher, type WatcherOptions } from '../../src/watch/index.ts';

export type Watched = Watcher & {
  readonly changes: Change[];
  /** `+CODE` for each complaint, `-CODE` when it has ended. */
  readonly said: string[];
  readonly faults: Fault[];
  readonly modes: string[];
  readonly looks: Look[];
  /** Waits until what is reported is what a new watcher finds there. */
  settled(): Promise<void>;
};

const aDay = 86_400_000;

/** Without a periodic comparison, so that whatever is noticed was told by the kernel. */
export async function watched(
  paths: readonly string[],
  { changed, ...options }: Partial<WatcherOptions> = {},
): Promise<Watched> {
  const seen = { changes: [] as Change[], said: [] as string[], faults: [] as Fault[] };
  const more = { modes: [] as string[], looks: [] as Look[] };
  const watcher = await openWatcher({
    paths,
    reconcile: aDay,
    settle: 0,
    async changed(change) {
      await changed?.(change);
      seen.changes.push(change);
    },
    complained(fault) {
      seen.faults.push(fault);
      seen.said.push(`+${fault.code}`);
    },
    recovered: ({ code }) => seen.said.push(`-${code}`),
    modeChanged: (mode) => more.modes.push(mode),
    looked: (look) => more.looks.push(look),
    ...options,
  });
  return Object.assign(watcher, {
    ...seen,
    ...more,
    settled: () =>
      until(async () => seen.changes.at(-1)?.hash === (await hashNow(paths)), {
        what: () => `the newest content of ${paths.join(', ')} to be reported; ${seen.changes.length} changes were`,
      }).then(() => undefined),
  });
}

/** The hash of what is there, by somebody who never saw anything else. */
export async function hashNow(paths: readonly string[]): Promise<string | undefined> {
  await using watcher = await openWatcher({ paths, reconcile: aDay, changed: () => undefined });
  return watcher.hash;
}
