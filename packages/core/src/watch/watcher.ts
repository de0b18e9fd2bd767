// Watches files and directories until they change: listen, settle, look, compare. It never gives up: whatever cannot be
// read, heard or taken over now is said once and tried again.

import type { Fault } from '../errors.ts';
import { pause } from '../every.ts';
import type { Log } from '../log.ts';
import { type Change, Detector, type Look, type Told } from './detect.ts';
import { errors } from './errors.ts';
import { type Mode, openListening, pollPeriod } from './listen.ts';
import { openSettle } from './settle.ts';

export type { Change, Look };

type Live<T> = T | (() => T);

export type WatcherOptions = Told & {
  /** Files and directories, links followed; a function is asked at each look. What is missing is waited for. */
  readonly paths: Live<readonly string[]>;
  /** How many milliseconds changes must pause before they count, at the latest after ten times that; 50 by default. */
  readonly settle?: Live<number>;
  /** Milliseconds between two comparisons of everything, for what the kernel does not tell; a minute by default. */
  readonly reconcile?: Live<number>;
  /** Told at the first look and whenever it changes. While polling, the fault says why. */
  readonly modeChanged?: (mode: Mode, fault?: Fault) => void;
};

export type Watcher = AsyncDisposable & {
  /** Reads and compares everything, beginning now or right after a look under way. */
  look(): Promise<void>;
  readonly mode: Mode;
  /** How many directories and files are listened to. */
  readonly places: number;
  /** Paths at which nothing is. */
  readonly missing: readonly string[];
  /** Of the content that was reported last; undefined until everything could be read once. */
  readonly hash: string | undefined;
};

/** Resolves after the first look, whatever it found; never rejects. Disposal waits for a look under way. */
export async function openWatcher({
  paths,
  settle = 50,
  reconcile = 60_000,
  modeChanged,
  ...told
}: WatcherOptions): Promise<Watcher> {
  const closing = new AbortController();
  let retry: NodeJS.Timeout | undefined;
  const hint = () => {
    detector.hinted();
    settling.touch();
  };
  const detector: Detector = new Detector({
    paths: () => now(paths),
    listen: (places) => listening.listen(places),
    again: (took) => {
      clearTimeout(retry);
      // What takes long to fail, such as walking all of /, takes a twentieth of the time at most.
      const rest = Math.max(pollPeriod, 20 * took);
      if (!closing.signal.aborted) retry = setTimeout(() => settling.touch(), rest);
    },
    ...told,
  });
  const settling = openSettle({ period: () => now(settle), look: () => detector.look() });
  const listening = openListening({
    hint,
    modeChanged: (mode, reason) =>
      modeChanged?.(mode, mode === 'polling' ? errors.WATCH_POLLING({ period: pollPeriod }, reason) : undefined),
  });

  await settling.next();
  const reconciling = (async () => {
    for (;;) {
      await pause(now(reconcile), closing.signal);
      if (closing.signal.aborted) return;
      detector.distrust();
      await settling.now();
    }
  })();
  return {
    look() {
      detector.distrust();
      return settling.next();
    },
    get mode() {
      return listening.mode;
    },
    get places() {
      return listening.size;
    },
    get missing() {
      return detector.missing;
    },
    get hash() {
      return detector.hash;
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      clearTimeout(retry);
      listening[Symbol.dispose]();
      await settling[Symbol.asyncDispose]();
      await reconciling;
    },
  };
}

const now = <T extends number | readonly string[]>(value: Live<T>): T =>
  typeof value === 'function' ? value() : value;

/** What a watcher says, as lines of the log. */
export function watchLog(log: Pick<Log, 'info' | 'warn'>) {
  let polled = false;
  return {
    complained: (fault: Fault) => log.warn(fault),
    recovered: ({ message, code, fields }: Fault) => log.info(`No longer so: ${message}`, { code, ...fields }),
    modeChanged(_: Mode, fault?: Fault) {
      if (fault) log.warn(fault);
      else if (polled) log.info('Changes are noticed by events of the kernel again');
      polled = fault !== undefined;
    },
  };
}
