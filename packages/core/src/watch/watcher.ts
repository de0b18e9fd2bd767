// Watches files and directories until they change: listen, settle, look, compare. It never gives up: whatever cannot be
// read, heard or taken over now is said once and tried again.

import type { Fault } from '../errors.ts';
import { every, wait } from '../every.ts';
import type { Log } from '../log.ts';
import { type Change, Detector, type Look } from './detect.ts';
import { errors } from './errors.ts';
import { type Mode, openListening, pollPeriod } from './listen.ts';
import { openSettle } from './settle.ts';

export type { Change, Look };

type Live<T> = T | (() => T);

export type WatcherOptions = {
  /** Files and directories, links followed; a function is asked at each look. What is missing is waited for. */
  readonly paths: Live<readonly string[]>;
  /** How many milliseconds changes must pause before they count, at the latest after ten times that; 50 by default. */
  readonly settle?: Live<number>;
  /** Milliseconds between two comparisons of everything, for what the kernel does not tell; a minute by default. */
  readonly reconcile?: Live<number>;
  /**
   * The content differs from what was reported last; first of all, what is found at the start. Two calls never overlap.
   * What it throws is complained of as WATCH_NOT_TAKEN, and it is called again a second later until it takes the change.
   * It must not wait for this watcher's disposal, which waits for it.
   */
  readonly changed: (change: Change) => void | Promise<void>;
  /** Something stands in the way: told once, when it begins. */
  readonly complained?: (fault: Fault) => void;
  /** ... and once, when it has ended. */
  readonly recovered?: (fault: Fault) => void;
  /** Told at the first look and whenever it changes. While polling, the fault says why. */
  readonly modeChanged?: (mode: Mode, fault?: Fault) => void;
  /** Told after each look. */
  readonly looked?: (look: Look) => void;
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
  changed,
  complained,
  recovered,
  modeChanged,
  looked,
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
    again: () => {
      clearTimeout(retry);
      if (!closing.signal.aborted) retry = setTimeout(() => settling.touch(), pollPeriod);
    },
    changed,
    complained,
    recovered,
    looked,
  });
  const settling = openSettle({ period: () => now(settle), look: () => detector.look() });
  const listening = openListening({
    hint,
    modeChanged: (mode, reason) =>
      modeChanged?.(mode, mode === 'polling' ? errors.WATCH_POLLING({ period: pollPeriod }, reason) : undefined),
  });

  await settling.next();
  const reconciling = wait(now(reconcile), closing.signal).then(
    () =>
      every(
        () => now(reconcile),
        closing.signal,
        () => {
          detector.distrust();
          return settling.now();
        },
      ),
    () => undefined,
  );
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
