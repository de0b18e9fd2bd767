// One container for as long as the Pod lives: it starts, ends and starts again as its restart policy says.

import { pause, reasonOf } from '@outrigger/core';
import type { ContainerEntry } from '../../manifest/containers.ts';
import type { PodContext } from '../context.ts';
import type { Exit } from '../process/launch.ts';
import { killStrays } from '../process/strays.ts';
import { Instance } from './instance.ts';
import { prepare } from './prepare.ts';
import { RestartDelay } from './restart-delay.ts';

export class Supervisor {
  readonly entry: ContainerEntry;
  readonly #context: PodContext;
  readonly #changed: () => void;
  readonly #started = Promise.withResolvers<void>();
  readonly #delay = new RestartDelay();
  #instance: Instance | undefined;
  #ended: Promise<Exit> | undefined;
  #ready = false;
  #everReady = false;
  #waitingFor: string | undefined = 'its start';

  /** @param changed called when readiness may have changed. */
  constructor(entry: ContainerEntry, context: PodContext, changed: () => void) {
    this.entry = entry;
    this.#context = context;
    this.#changed = changed;
  }

  /** Its process runs, postStart is done and the startupProbe, if any, has succeeded: what comes after it may start. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  get isReady(): boolean {
    return this.#ready;
  }

  get isRunning(): boolean {
    return this.#instance !== undefined;
  }

  /** Why it is not ready. */
  get waitingFor(): string {
    return this.#waitingFor ?? 'its readinessProbe';
  }

  /** Starts it; resolves when it will not run again. */
  supervise(): Promise<Exit> {
    this.#ended ??= this.#live();
    return this.#ended;
  }

  /** Resolves when nothing of it runs, also if it was never started. */
  get gone(): Promise<unknown> {
    return Promise.resolve(this.#ended);
  }

  async #live(): Promise<Exit> {
    for (;;) {
      const before = performance.now();
      const exit = await this.#runOnce();
      if (this.#context.stopping.aborted || !this.#isRestarted(exit)) return exit;
      const delay = this.#delay.after(performance.now() - before);
      const when = delay === 0 ? 'now' : `in ${delay / 1000} s`;
      this.#waitingFor = `its restart after ${exit.reason}`;
      this.#context.log.say(`${this.entry.name} ended: ${exit.reason}; it starts again ${when}`);
      await pause(delay, this.#context.stopping);
      if (this.#context.stopping.aborted) return exit;
    }
  }

  #isRestarted({ code }: Exit): boolean {
    const policy = this.#context.pod.spec?.restartPolicy ?? 'Always';
    if (this.entry.kind === 'sidecar') return true;
    if (policy === 'Never') return false;
    return code !== 0 || (policy === 'Always' && this.entry.kind === 'app');
  }

  async #runOnce(): Promise<Exit> {
    const { stopping, identity } = this.#context;
    try {
      const prepared = await prepare(this.entry, this.#context);
      if (stopping.aborted) return { code: 0, reason: 'the Pod stops' };
      const instance = new Instance(this.entry, prepared, this.#context);
      this.#instance = instance;
      this.#waitingFor = 'its start';
      const watching = instance.watch({
        started: () => this.#started.resolve(),
        ready: (ready, reason) => this.#setReady(ready, reason),
        complaint: (reason) => {
          this.#waitingFor = reason;
        },
      });
      const exit = await instance.exited;
      await watching;
      return exit;
    } catch (error) {
      return { code: 128, reason: `cannot be started: ${reasonOf(error)}` };
    } finally {
      this.#instance = undefined;
      this.#setReady(false, 'it ended');
      killStrays(identity.uid, this.entry.name);
    }
  }

  #setReady(ready: boolean, reason?: string): void {
    if (this.#ready === ready) return;
    this.#ready = ready;
    if (!this.#context.stopping.aborted && this.#everReady && reason !== 'it ended')
      this.#context.log.say(ready ? `${this.entry.name} is ready again` : `${this.entry.name} is not ready: ${reason}`);
    this.#everReady ||= ready;
    this.#changed();
  }

  async preStop(): Promise<void> {
    await this.#instance?.preStop();
  }

  terminate(): void {
    this.#instance?.terminate();
  }

  kill(): void {
    this.#instance?.kill();
  }
}
