// A signal to the application's process, found by name among the processes of the Pod.

import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { wait } from '../every.ts';
import { choice, text } from '../parameters/kinds.ts';
import { type PodProcess, ProcessTable } from '../processes.ts';
import { errors } from './errors.ts';
import { findProcess, nameOf } from './find-process.ts';
import { defineNotifier } from './notifier.ts';

/** Those that a program can handle; SIGKILL and SIGSTOP reach none. */
const signals = [
  'SIGHUP',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
  'SIGALRM',
  'SIGCONT',
  'SIGTTIN',
  'SIGTTOU',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
] as const;
type Signal = (typeof signals)[number];

/** Who chooses one of these may well want the process to end and to be started again. */
const meantToEnd: readonly Signal[] = ['SIGINT', 'SIGQUIT', 'SIGTERM'];

export const signal = defineNotifier({
  summary: 'Signals a process of the application (shareProcessNamespace: true)',
  parameters: {
    process: text({
      example: 'nginx',
      help: 'Base name of the program, or of the script or jar an interpreter runs (nginx, app.py, billing.cjs, x.jar)',
    }),
    name: choice(signals, { default: 'SIGHUP', help: 'Signal to send' }),
  },

  open({ process: wanted, name }) {
    // Kept from one notification to the next: it remembers command lines, which take most of the time to read.
    const processes = new ProcessTable();
    return {
      target: `${name} to ${wanted}`,
      async notify(_, aborted) {
        const found = findProcess(await processes.scan(), wanted);
        await refuseUnhandled(found, name, aborted);
        send(found, name);
        return { pid: found.pid, container: found.container };
      },
    };
  },
});

/** Looks at a program that sleeps with the signal blocked, until that is taken for its habit. */
const enoughLooks = 8;
const mostLooks = 200;
/** Milliseconds. */
const betweenLooks = 5;

/**
 * A program that has not installed its handler yet is ended by SIGHUP: a change during its start would kill it. Blocked
 * counts as handled, for those that wait with sigwait or signalfd. But whoever starts another program blocks everything
 * for a moment (a shell that does nothing else, in one look of six), so it must be found blocked in every look. On a busy
 * machine that moment is long, but it never sleeps in it: it runs, or waits for the child's exec, which no signal ends.
 */
async function refuseUnhandled(found: PodProcess, signal: Signal, aborted: AbortSignal): Promise<void> {
  let seenAsleep = 0;
  for (let look = 1; look <= mostLooks && seenAsleep < enoughLooks; look++) {
    if (look > 1) await wait(betweenLooks, aborted);
    const { caught, blocked, ignored, asleep } = dispositionOf(found, signal);
    if (caught) return;
    if (blocked) {
      if (asleep) seenAsleep++;
      continue;
    }
    const reaction = ignored ? 'ignores' : meantToEnd.includes(signal) ? undefined : 'does not handle';
    if (reaction) throw errors.NOTIFY_SIGNAL_UNHANDLED({ pid: found.pid, process: nameOf(found), reaction, signal });
    return;
  }
}

function dispositionOf(found: PodProcess, signal: Signal) {
  const status = readProc(found, 'status');
  const bit = 1n << BigInt(constants.signals[signal] - 1);
  const has = (set: string) => {
    const mask = new RegExp(`^${set}:\\s*([0-9a-f]+)`, 'm').exec(status)?.[1];
    return mask !== undefined && (BigInt(`0x${mask}`) & bit) !== 0n;
  };
  // Interruptible: that of sigwait and epoll_wait.
  const asleep = /^State:\s*S/m.test(status);
  return { caught: has('SigCgt'), blocked: has('SigBlk'), ignored: has('SigIgn'), asleep };
}

function send(found: PodProcess, signal: Signal): void {
  // The pid may have gone to another process since it was listed. Nothing but microseconds lies between this check and
  // the signal; Node.js has no pidfd_send_signal, which would leave none.
  if (startTimeOf(readProc(found, 'stat')) !== found.startTime) throw errors.NOTIFY_PROCESS_GONE({ pid: found.pid });
  try {
    process.kill(found.pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') throw errors.NOTIFY_PROCESS_GONE({ pid: found.pid });
    if (code !== 'EPERM') throw error;
    const { pid, user } = found;
    const own = process.geteuid?.();
    throw errors.NOTIFY_SIGNAL_NOT_PERMITTED({ pid, process: nameOf(found), user, own, signal }, error);
  }
}

function readProc({ pid }: PodProcess, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    throw errors.NOTIFY_PROCESS_GONE({ pid }, error);
  }
}

/** Field 22 of proc_pid_stat(5); the name before it may hold spaces and parentheses. */
const startTimeOf = (stat: string) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
