// Gives memory back that a quiet sidecar does not need. V8 keeps what the start, a burst or a day of probes made its heap
// grow to, and malloc keeps every page below the last one that is in use.
// Measured, private memory of the proxy: 23 MB when it has started, 38 after a soak and a collection, 21 after this.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export type TrimOptions = {
  readonly collect?: () => void;
  /** When to look for the first time and how often from then on, in milliseconds. */
  readonly first?: number;
  readonly period?: number;
};

// A collection that gives back all it can takes 15 to 35 ms, in which nothing is answered, and functions that did not run
// lately are compiled anew when they do. So never under load, and only for a gain: in bytes, and as a share of one CPU.
const gain = 4 * 1024 ** 2;
const quiet = 0.01;

/** Looks now and then, until the signal aborts. */
export function trimWhenQuiet(
  signal: AbortSignal,
  { collect = giveBack, first = 5_000, period = 30_000 }: TrimOptions = {},
): void {
  let kept = 0;
  let since = usage();
  const look = () => {
    const now = usage();
    const busy = (now.cpu - since.cpu) / (now.at - since.at);
    if (busy < quiet && process.memoryUsage.rss() > kept + gain) {
      collect();
      kept = process.memoryUsage.rss();
    }
    since = usage();
    timer = setTimeout(look, period).unref();
  };
  let timer = setTimeout(look, first).unref();
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
}

/** Both in milliseconds. */
function usage(): { readonly at: number; readonly cpu: number } {
  const { user, system } = process.cpuUsage();
  return { at: performance.now(), cpu: (user + system) / 1000 };
}

function giveBack(): void {
  collectAll();
  mallocTrim ??= findMallocTrim();
  mallocTrim();
}

// Started with --expose-gc, Node could not use its own code cache, and that costs 60 ms. A context made while the flag is
// set has the function as well. "Last resort" is the only flavour that shrinks the heap.
function collectAll(): void {
  setFlagsFromString('--expose-gc');
  const gc: NodeJS.GCFunction = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

let mallocTrim: (() => void) | undefined;

// By itself glibc gives back only what is free above all that is in use, and one small block up there that lives long is
// enough to hold megabytes; what settings of malloc win costs more in time. Node.js can call it only by way of an experimental module, which
// says so on stderr between the lines of the log, unless it is told not to; bundle.ts does.
function findMallocTrim(): () => void {
  const ffi = warnsOfExperiments() ? undefined : process.getBuiltinModule('node:ffi');
  if (!ffi) return () => undefined;
  try {
    const { functions } = ffi.dlopen(null, { malloc_trim: { arguments: ['u64'], return: 'i32' } });
    return () => functions.malloc_trim(0n);
  } catch {
    // Another libc has no such function, and under --permission nobody may look. Memory stays as it is then.
    return () => undefined;
  }
}

const warnsOfExperiments = () =>
  ![...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ').includes('--disable-warning=ExperimentalWarning');
