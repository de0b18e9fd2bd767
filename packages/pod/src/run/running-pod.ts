// The containers of a Pod: started in order, watched, ended in reverse.

import { wait } from '@outrigger/core';
import { type ContainerEntry, containersOf } from '../manifest/containers.ts';
import { Supervisor } from './container/supervisor.ts';
import type { PodContext } from './context.ts';
import { terminate } from './terminate.ts';

/** How the Pod ended by itself. */
export type Outcome = { readonly code: 0 | 1; readonly text: string };

type Ending = {
  /** There is no time left. */
  readonly hurry: () => void;
  readonly aboutToSignal?: ((entry: ContainerEntry) => Promise<void>) | undefined;
};

const noticeMilliseconds = 15_000;

export class RunningPod {
  readonly #context: PodContext;
  readonly #supervisors: readonly Supervisor[];
  readonly #started: Supervisor[] = [];
  readonly #ready = Promise.withResolvers<void>();

  constructor(context: PodContext) {
    this.#context = context;
    this.#supervisors = containersOf(context.pod).map(
      (entry) => new Supervisor(entry, context, () => this.#lookWhetherReady()),
    );
  }

  /** Resolves when every container that stays was ready at once for the first time. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  #lookWhetherReady(): void {
    if (this.#supervisors.every((each) => each.entry.kind === 'init' || each.isReady)) this.#ready.resolve();
  }

  /** Starts everything in order; resolves when the applications have ended for good, or cannot be started. */
  async run(): Promise<Outcome> {
    void this.#noticeWaiting();
    for (const supervisor of this.#supervisors.filter(({ entry }) => entry.kind !== 'app')) {
      const failed = await this.#startInitial(supervisor);
      if (this.#context.stopping.aborted) return stopped;
      if (failed) return { code: 1, text: `${supervisor.entry.name} failed: ${failed}` };
    }
    return this.#runApps();
  }

  /** Starts one of initContainers and waits until the next one may start; returns why it never will. */
  async #startInitial(supervisor: Supervisor): Promise<string | undefined> {
    this.#started.push(supervisor);
    const ended = supervisor.supervise();
    if (supervisor.entry.kind === 'sidecar') {
      await Promise.race([supervisor.started, ended]);
      return undefined;
    }
    const { code, reason } = await ended;
    return code === 0 ? undefined : reason;
  }

  async #runApps(): Promise<Outcome> {
    const apps = this.#supervisors.filter(({ entry }) => entry.kind === 'app');
    this.#started.push(...apps);
    const exits = await Promise.all(apps.map((each) => each.supervise()));
    if (this.#context.stopping.aborted) return stopped;
    const failed = apps.flatMap(({ entry }, index) =>
      exits[index]!.code === 0 ? [] : [`${entry.name} failed: ${exits[index]!.reason}`],
    );
    return failed.length > 0
      ? { code: 1, text: failed.join('; ') }
      : { code: 0, text: 'All containers have completed' };
  }

  /** Waiting is never silent. */
  async #noticeWaiting(): Promise<void> {
    const { stopping, log } = this.#context;
    const pending = Symbol('pending');
    while (!stopping.aborted) {
      const waited = wait(noticeMilliseconds, stopping).then(
        () => pending,
        () => undefined,
      );
      if ((await Promise.race([this.#ready.promise, waited])) !== pending) return;
      const waiting = this.#started.filter((each) => each.entry.kind !== 'init' && !each.isReady);
      const init = this.#started.filter((each) => each.entry.kind === 'init' && each.isRunning);
      for (const { entry } of init) log.say(`Still waiting for ${entry.name} to end`);
      for (const { entry, waitingFor } of waiting) log.say(`Still waiting for ${entry.name}: ${waitingFor}`);
    }
  }

  /** Ends what was started. The context must say already that the Pod stops. */
  end({ hurry, aboutToSignal }: Ending): Promise<void> {
    const { grace, log } = this.#context;
    return terminate(this.#started, {
      grace,
      hurry,
      say: (text) => log.say(text),
      aboutToSignal: aboutToSignal && ((each) => aboutToSignal(each.entry)),
    });
  }
}

const stopped: Outcome = { code: 0, text: 'Stopped' };
