// Syncs again and again: how long each may take, what follows a failure, and what is told about it.

import { type Context, every, Fault, retry } from '@outrigger/core';
import { errors } from './errors.ts';
import type { Generation, Generations } from './generations.ts';
import type { Hooks } from './hooks.ts';
import type { metrics } from './metrics.ts';
import type { parameters } from './parameters.ts';
import type { Outcome, Sync } from './sync.ts';
import type { Workspace } from './workspace.ts';

export type Following = Pick<Context<typeof parameters, typeof metrics>, 'parameters' | 'metrics' | 'log' | 'fail'> & {
  readonly workspace: Workspace;
  readonly generations: Generations;
  readonly sync: Sync;
  /** Nothing is published yet, and why. */
  readonly waiting: (reason: string) => void;
  readonly hooks: Pick<Hooks, 'status'>;
  /** With --one-time: the first success. */
  readonly done: () => Promise<void>;
};

export class Follow {
  readonly #following: Following;
  #failures = 0;
  #failure: { readonly fault: Fault; readonly at: Date } | undefined;
  #lastSuccess: Date | undefined;

  constructor(following: Following) {
    this.#following = following;
  }

  /** Until the signal aborts. */
  async run(stop: AbortSignal): Promise<void> {
    const { parameters, done } = this.#following;
    await every(
      () => parameters.period,
      stop,
      async () => {
        await this.#persist(stop);
        if (parameters.oneTime) await done();
      },
    );
  }

  get generations(): readonly Generation[] {
    return this.#following.generations.list;
  }

  get current(): Generation | undefined {
    return this.#following.generations.current;
  }

  status(): object {
    const { workspace } = this.#following;
    return {
      repository: workspace.repository.url,
      reference: workspace.reference.written,
      link: workspace.link,
      commit: this.current?.commit,
      published: this.current?.published,
      lastSuccess: this.#lastSuccess,
      failures: this.#failures,
      failure: this.#failure && {
        code: this.#failure.fault.code,
        message: this.#failure.fault.message,
        hint: this.#failure.fault.hint,
        at: this.#failure.at,
      },
      hooks: this.#following.hooks.status(),
    };
  }

  async #persist(signal: AbortSignal): Promise<void> {
    const outcome = await retry(() => this.#once(signal), {
      signal,
      backoff: { min: '500ms', max: '30s' },
      permanent: (error) => !(error instanceof Fault),
      onRetry: ({ error }) => this.#failed(error as Fault),
    });
    this.#succeeded(outcome);
  }

  async #once(stop: AbortSignal): Promise<Outcome> {
    const deadline = new AbortController();
    const abort = () => deadline.abort(stop.reason);
    stop.addEventListener('abort', abort, { once: true });
    const timeout = this.#following.parameters.syncTimeout;
    const timer = setTimeout(() => deadline.abort(errors.GIT_TIMEOUT({ timeout })), timeout);
    try {
      return await this.#following.sync.run(deadline.signal);
    } finally {
      clearTimeout(timer);
      stop.removeEventListener('abort', abort);
    }
  }

  #succeeded(outcome: Outcome): void {
    const { metrics, log } = this.#following;
    metrics.polls.inc({ result: outcome });
    metrics.consecutiveFailures.set(0);
    metrics.lastSuccessTimestamp.setToCurrentTime();
    if (this.#failures > 0) log.info('Syncing works again', { failures: this.#failures });
    this.#failures = 0;
    this.#failure = undefined;
    this.#lastSuccess = new Date();
  }

  #failed(fault: Fault): void {
    const { metrics, log, waiting, fail, parameters } = this.#following;
    this.#failures++;
    this.#failure = { fault, at: new Date() };
    metrics.polls.inc({ result: 'failed' });
    metrics.failures.inc({ code: fault.code });
    metrics.consecutiveFailures.set(this.#failures);
    waiting(fault.message);
    const borne = parameters.maxFailures ?? (parameters.oneTime ? 0 : -1);
    if (borne >= 0 && this.#failures > borne) fail(fault);
    else log.warn(fault, { failures: this.#failures });
  }
}
