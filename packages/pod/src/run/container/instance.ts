// One life of a container: its process from start to exit, with the hooks and probes that go with it.

import { constants } from 'node:os';
import { wait } from '@outrigger/core';
import { type ContainerEntry, type Probe, type ProbeKind, probeOf } from '../../manifest/containers.ts';
import type { PodContext } from '../context.ts';
import { type Exit, launch, type Running } from '../process/launch.ts';
import { type Around, act } from './act.ts';
import type { Prepared } from './prepare.ts';
import { untilStarted, untilUnhealthy, watchReadiness } from './probing.ts';

export type Observer = {
  started(): void;
  ready(ready: boolean, reason?: string): void;
  /** The last thing that a probe complained of. */
  complaint(reason: string | undefined): void;
};

export class Instance {
  readonly exited: Promise<Exit>;
  readonly #entry: ContainerEntry;
  readonly #context: PodContext;
  readonly #around: Around;
  readonly #running: Running;
  readonly #over = new AbortController();
  #preStop: Promise<void> | undefined;

  constructor(entry: ContainerEntry, prepared: Prepared, context: PodContext) {
    this.#entry = entry;
    this.#context = context;
    this.#around = { container: entry.container, command: prepared.command };
    this.#running = launch(prepared.program);
    const json = entry.role !== undefined && entry.local === undefined;
    for (const stream of [this.#running.stdout, this.#running.stderr]) context.log.follow(entry.name, stream, json);
    this.exited = this.#running.exited.finally(() => this.#over.abort(new Error('the container ended')));
    void this.exited.then((exit) => context.note(entry.name, { what: 'exit', exit }, exit.at));
  }

  /** Runs postStart and the probes until the container ends or the Pod stops. */
  async watch(observer: Observer): Promise<void> {
    const signal = AbortSignal.any([this.#over.signal, this.#context.stopping]);
    try {
      const failed = (await this.#postStart(signal)) ?? (await this.#startup(observer, signal));
      if (failed !== undefined) return await this.replace(failed);
      observer.started();
      await Promise.all([this.#readiness(observer, signal), this.#liveness(observer, signal)]);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #postStart(signal: AbortSignal): Promise<string | undefined> {
    const hook = this.#entry.container.lifecycle?.postStart;
    const reason = hook && (await act(hook, this.#around, signal));
    signal.throwIfAborted();
    return reason && `postStart failed: ${reason}`;
  }

  async #startup(observer: Observer, signal: AbortSignal): Promise<string | undefined> {
    const probe = this.#probe('startup');
    const reason = probe && (await untilStarted(probe, { attempt: this.#attempt(observer, signal), signal }));
    return reason && `startupProbe failed: ${reason}`;
  }

  async #readiness(observer: Observer, signal: AbortSignal): Promise<void> {
    const probe = this.#probe('readiness');
    if (!probe) return observer.ready(true);
    const change = (ready: boolean, reason?: string) => observer.ready(ready, reason);
    await watchReadiness(probe, { attempt: this.#attempt(observer, signal), signal, change });
  }

  async #liveness(observer: Observer, signal: AbortSignal): Promise<void> {
    const probe = this.#probe('liveness');
    if (!probe) return;
    const reason = await untilUnhealthy(probe, { attempt: this.#attempt(observer, signal), signal });
    const { terminationGracePeriodSeconds: seconds } = probe;
    await this.replace(`livenessProbe failed: ${reason}`, seconds === undefined ? undefined : seconds * 1000);
  }

  #probe(kind: ProbeKind): Probe | undefined {
    const probe = probeOf(this.#entry.container, kind);
    // gRPC is not spoken here; check says so.
    return probe && (probe.exec || probe.httpGet || probe.tcpSocket) ? probe : undefined;
  }

  #attempt(observer: Observer, signal: AbortSignal) {
    return async (probe: Probe) => {
      const timeout = AbortSignal.timeout((probe.timeoutSeconds ?? 1) * 1000);
      const reason = await act(probe, this.#around, AbortSignal.any([signal, timeout]));
      if (!signal.aborted) observer.complaint(reason);
      return reason;
    };
  }

  /** Ends it so that it starts again: its hook, SIGTERM, and SIGKILL when the time is over. */
  async replace(reason: string, grace = this.#context.grace): Promise<void> {
    this.#context.log.say(`${this.#entry.name} is stopped: ${reason}`);
    const late = wait(grace, this.#over.signal).then(
      () => this.kill(),
      () => undefined,
    );
    await Promise.race([this.preStop(), late]);
    this.terminate();
    await late;
  }

  /** Runs the preStop hook, once. Never rejects: a failed hook does not hold up the end. */
  preStop(): Promise<void> {
    this.#preStop ??= this.#runPreStop();
    return this.#preStop;
  }

  async #runPreStop(): Promise<void> {
    const hook = this.#entry.container.lifecycle?.preStop;
    if (!hook) return;
    const context = this.#context;
    const { name } = this.#entry;
    const signal = AbortSignal.any([this.#over.signal, context.hurry]);
    context.note(name, { what: 'preStop begun' });
    const reason = await act(hook, this.#around, signal);
    if (reason === undefined) return context.note(name, { what: 'preStop done' });
    if (signal.aborted) return context.note(name, { what: 'preStop cut short' });
    context.note(name, { what: 'preStop failed', reason });
    context.log.say(`preStop of ${name} failed: ${reason}`);
  }

  terminate(): void {
    const { stopSignal = '' } = (this.#entry.container.lifecycle ?? {}) as { stopSignal?: string };
    const signal = stopSignal in constants.signals ? (stopSignal as NodeJS.Signals) : 'SIGTERM';
    this.#context.note(this.#entry.name, { what: 'signal', signal });
    this.#running.signal(signal);
  }

  kill(): void {
    this.#context.note(this.#entry.name, { what: 'signal', signal: 'SIGKILL' });
    this.#running.kill();
  }
}
