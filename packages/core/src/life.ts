// One run of a sidecar, from listening to its exit code: listen, start, serve, leave, stop.

import type { Phase } from './admin/app.ts';
import { openAdminListener } from './admin/listener.ts';
import { Fault, reasonOf } from './errors.ts';
import { Events } from './events.ts';
import { Health, type Latch } from './health.ts';
import type { Log } from './log.ts';
import { type Budget, MemoryPlan } from './memory.ts';
import { type Metrics, openMetrics } from './metrics.ts';
import type { OpenParameters, Reloaded } from './parameters/open-parameters.ts';
import { formatProblems, isWrongParameter, ParameterProblem } from './parameters/problem.ts';
import type { StandardParameters } from './parameters/standard.ts';
import type { AnySidecar, Context } from './sidecar.ts';
import { Stages, type Stopped, sayStopped } from './stages.ts';
import { supervisor } from './tasks.ts';
import { leaveTerminationMessage } from './termination.ts';
import { trimWhenQuiet } from './trim.ts';
import { Watchdog } from './watchdog.ts';

/** 0 stopped as asked, 1 failed, 64 wrong parameters, 75 drain deadline missed. */
export const exitCodes = { stopped: 0, failed: 1, usage: 64, drainDeadline: 75 } as const;

export class Life {
  readonly #sidecar: AnySidecar;
  readonly #parameters: OpenParameters;
  readonly #log: Log;
  readonly #events = new Events();
  readonly #leaving = new AbortController();
  readonly #stopping = new AbortController();
  readonly #stages = new Stages();
  readonly #health: Health;
  readonly #started: Latch;
  readonly #watchdog: Watchdog;
  readonly #memory: MemoryPlan;
  readonly #metrics: Metrics<NonNullable<AnySidecar['metrics']>>;
  readonly #asked = Promise.withResolvers<void>();
  #phase: Phase = 'starting';
  #state: { readonly value: unknown } | undefined;
  #starting: Promise<unknown> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(sidecar: AnySidecar, parameters: OpenParameters, log: Log) {
    this.#sidecar = sidecar;
    this.#parameters = parameters;
    this.#log = log;
    this.#health = new Health({ log, signal: this.#stopping.signal });
    this.#started = this.#health.startup();
    this.#watchdog = new Watchdog(() => parameters.values.eventLoopLimit);
    this.#health.check('event-loop', this.#watchdog.check, { live: true });
    this.#memory = new MemoryPlan({ changed: (shedding, budget) => this.#sayShedding(shedding, budget) });
    this.#metrics = openMetrics(sidecar.name, sidecar.metrics ?? {}, {
      version: sidecar.version,
      phase: () => this.#phase,
      budget: () => this.#memory.budget(),
      loopDelay: () => this.#watchdog.take(),
    });
    this.#health.check('leaving', () => (this.#leaving.signal.aborted ? 'the Pod is going' : undefined));
    for (const warning of parameters.warnings) log.warn(warning);
    if (this.#memory.oversizedHeap)
      log.warn('The heap may outgrow the memory limit; start Node.js with --max-old-space-size-percentage=50');
    this.#handleSignals();
  }

  /** Settles when it is to stop. */
  get asked(): Promise<void> {
    return this.#asked.promise;
  }

  #handleSignals(): void {
    // As PID 1 the kernel ignores signals without a handler, so each that matters has one.
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        if (this.#stopping.signal.aborted) {
          this.#log.warn('A second signal: exiting at once', { signal: name });
          process.exit(exitCodes.drainDeadline);
        }
        this.#log.info('Stopping', { signal: name });
        this.shutdown();
      });
    }
    process.on('SIGHUP', () => {
      this.#log.info('Reading the parameters again', { signal: 'SIGHUP' });
      void this.#reload();
    });
    process.on('uncaughtException', (error) => this.fail(error));
    process.on('unhandledRejection', (error) => this.fail(error));
  }

  async #reload(): Promise<Reloaded> {
    const reloaded = await this.#parameters.reload();
    const { changed, needRestart, problems, warnings } = reloaded;
    const differs = changed.length + needRestart.length > 0;
    const result = problems.length > 0 ? 'refused' : differs ? 'changed' : 'unchanged';
    this.#metrics.standard.parameterReloads.inc({ result });
    this.#metrics.standard.parametersValid.set(problems.length > 0 ? 0 : 1);
    for (const warning of warnings) this.#log.warn(warning);
    if (problems.length > 0) {
      this.#log.error(formatProblems('The new parameters are refused and the old ones stay', problems));
      return reloaded;
    }
    this.#log.setLevel(this.#parameters.values.logLevel);
    if (needRestart.length > 0)
      this.#log.warn('Parameters changed that need a restart; the old values stay', { parameters: needRestart });
    this.#log.info('Parameters read again', { changed });
    if (differs) this.#events.publish('parameters', { changed, needRestart });
    return reloaded;
  }

  async listen(): Promise<void> {
    const { values } = this.#parameters;
    const listener = await openAdminListener(values.adminAddress, {
      sidecar: this.#sidecar,
      health: this.#health,
      registry: this.#metrics.registry,
      events: this.#events,
      log: this.#log,
      token: values.adminToken,
      started: new Date(),
      phase: () => this.#phase,
      effective: () => this.#parameters.effective,
      state: () => this.#state,
      budget: () => this.#memory.budget(),
      reload: () => this.#reload(),
      prestop: () => this.prestop(),
      shutdown: () => this.shutdown(),
    });
    // The first to open and so the last to stop: probes are answered while everything else drains.
    this.#stages.defer(() => listener.close(), { name: 'admin listener' });
    this.#stages.defer(() => this.#events.close(), { name: 'event streams' });
    this.#log.info('Admin listener is up', { address: String(listener.address), version: this.#sidecar.version });
  }

  /** Before start, so that no change falls between reading the parameters and watching their files. */
  async watchParameters(): Promise<void> {
    const paths = () => this.#parameters.files();
    if (paths().length === 0 || this.#stopping.signal.aborted) return;
    const { openWatcher, watchLog } = await import('./watch/index.ts');
    const { watcherMode } = this.#metrics.standard;
    const log = watchLog(this.#log);
    const watcher = await openWatcher({
      ...log,
      paths,
      // What is found first may be newer than what was read.
      changed: async () => void (await this.#reload()),
      modeChanged: (mode, fault) => {
        log.modeChanged(mode, fault);
        for (const each of ['events', 'polling'] as const) watcherMode.set({ mode: each }, each === mode ? 1 : 0);
      },
    });
    this.#stages.use(watcher, { name: 'parameter files' });
  }

  async start(): Promise<void> {
    // A signal may have come while the listener was opened.
    if (this.#stopping.signal.aborted) return;
    this.#starting = Promise.resolve(this.#sidecar.start(this.#context()));
    const value = await Promise.race([this.#starting, this.#asked.promise]);
    if (this.#stopping.signal.aborted) return;
    this.#state = { value };
    this.#started.release();
    this.#phase = this.#leaving.signal.aborted ? 'leaving' : 'serving';
    this.#log.info('Started', { milliseconds: Math.round(process.uptime() * 1000) });
    this.#events.publish('started');
    trimWhenQuiet(this.#stopping.signal);
  }

  #context(): Context<StandardParameters> {
    const fail = (error: unknown) => this.fail(error);
    const common = { log: this.#log, signal: this.#stopping.signal, fail };
    const { taskFailures: failures } = this.#metrics.standard;
    return {
      ...common,
      parameters: this.#parameters.values as Context<StandardParameters>['parameters'],
      refusedParameters: () => this.#parameters.refused,
      metrics: this.#metrics.instruments,
      health: this.#health,
      events: this.#events,
      memory: this.#memory,
      leaving: this.#leaving.signal,
      stack: this.#stages,
      supervise: supervisor({ ...common, stages: this.#stages, failures }),
      stop: () => this.shutdown(),
    };
  }

  /** The Pod is going: readiness fails, everything the application needs stays alive. */
  prestop(): void {
    if (this.#leaving.signal.aborted) return;
    if (this.#phase === 'serving') this.#phase = 'leaving';
    this.#log.info('The Pod is going: not ready any more, still serving');
    this.#events.publish('leaving');
    this.#leaving.abort(new Error('the Pod is going'));
  }

  /** Nobody needs this sidecar any more. */
  shutdown(): void {
    if (this.#stopping.signal.aborted) return;
    this.#phase = 'stopping';
    this.#events.publish('stopping');
    if (!this.#leaving.signal.aborted) this.#leaving.abort(new Error('stopping'));
    this.#stopping.abort(new Error('stopping'));
    this.#asked.resolve();
  }

  fail(error: unknown): void {
    // What start throws because it was told to stop is not a failure.
    if (this.#stopping.signal.aborted && error === this.#stopping.signal.reason) return;
    // What start threw is met again when it is awaited at the end.
    if (this.#failure?.error === error) return;
    if (!this.#failure) this.#failure = { error };
    else this.#log.error(error instanceof Error ? error : reasonOf(error));
    this.shutdown();
  }

  /** Stops the stages in reverse, within the deadline, and says how it went. Returns the exit code. */
  async stop(): Promise<number> {
    const { drainTimeout, terminationMessageFile } = this.#parameters.values;
    // start may still be running: it sees the signal and ends, then what it had opened is closed.
    const start = () => this.#starting?.catch((error: unknown) => this.fail(error));
    const stopped = await this.#stages.stop(drainTimeout, start);
    const late = stopped.filter((stage) => stage.late);
    for (const stage of stopped) this.#sayStopped(stage);
    const lastWords = this.#failure ? this.#sayFailure(this.#failure.error) : this.#sayLate(late);
    if (lastWords === undefined) {
      this.#log.info('Stopped');
      return exitCodes.stopped;
    }
    leaveTerminationMessage(terminationMessageFile, lastWords);
    if (!this.#failure) return exitCodes.drainDeadline;
    return isWrongParameter(this.#failure.error) ? exitCodes.usage : exitCodes.failed;
  }

  #sayStopped(stage: Stopped): void {
    if (stage.late) this.#log.error(stage.left ?? sayStopped(stage), { stage: stage.name });
    else if ('error' in stage) this.fail(stage.error);
    else this.#log.debug('Stopped a stage', { stage: stage.name, milliseconds: Math.round(stage.milliseconds) });
  }

  #sayLate(late: readonly Stopped[]): string | undefined {
    if (late.length === 0) return undefined;
    const words = `Stopping took longer than --drain-timeout: ${late.map(sayStopped).join('; ')}`;
    this.#log.error(words, { drainTimeout: this.#parameters.values.drainTimeout });
    return words;
  }

  #sayFailure(error: unknown): string {
    const { name } = this.#sidecar;
    if (error instanceof ParameterProblem) {
      const words = formatProblems(name, [this.#parameters.problemOf(error)]);
      process.stderr.write(`${words}\n`);
      return words;
    }
    const words = `${name} failed: ${reasonOf(error)}`;
    this.#log.error(error instanceof Error ? error : words);
    return error instanceof Fault ? `${words} (${error.hint})` : words;
  }

  #sayShedding(shedding: boolean, { limit, used }: Budget): void {
    if (shedding) this.#log.warn('Memory is nearly used up: new work is refused', { limit, used });
    else this.#log.info('Memory is free again: new work is accepted', { limit, used });
    this.#events.publish('memory', { shedding, limit, used });
  }
}
