// Work in the background, supervised: a crash is logged and counted, then the task starts again or the sidecar ends.

import type { Counter } from 'prom-client';
import { defineErrors } from './errors.ts';
import type { Log } from './log.ts';
import { type Retry, retry } from './retry.ts';
import type { Stages } from './stages.ts';

/** Runs until the signal aborts, or until it is done. */
export type Task = (signal: AbortSignal) => Promise<unknown>;

export type Supervision = {
  /** What a crash leads to: the task starts again after a growing wait (default), or the sidecar exits 1. */
  readonly restart?: 'backoff' | 'fail';
};

export const taskErrors = defineErrors({
  TASK_FAILED: {
    message: 'The background task "{task}" failed',
    hint: 'It starts again in {milliseconds} ms; outrigger_task_failures_total counts how often that happens',
  },
});

type Options = {
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly stages: Stages;
  readonly failures: Counter<'task'>;
  readonly fail: (error: unknown) => void;
};

/** Returns `context.supervise`. A task is a stage: what was opened before it is stopped only when it has ended. */
export function supervisor({ log, signal, stages, failures, fail }: Options) {
  return (name: string, task: Task, { restart = 'backoff' }: Supervision = {}): void => {
    failures.inc({ task: name }, 0);
    const ended = supervised();
    stages.defer(() => ended, { name: `task ${name}` });

    async function supervised(): Promise<void> {
      const attempt = async () => {
        try {
          await task(signal);
        } catch (error) {
          // What it throws because it was told to end is not a failure.
          if (!signal.aborted) failures.inc({ task: name });
          throw error;
        }
      };
      const permanent = () => restart === 'fail';
      const onRetry = ({ error, milliseconds }: Retry) =>
        log.error(taskErrors.TASK_FAILED({ task: name, milliseconds: Math.round(milliseconds) }, error));
      try {
        await retry(attempt, { backoff: { min: '1s', max: '1m' }, signal, permanent, onRetry });
      } catch (error) {
        if (!signal.aborted) fail(error);
      }
    }
  };
}
