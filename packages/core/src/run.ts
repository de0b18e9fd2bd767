// The life of a sidecar on one page: read parameters, listen, start, serve, leave, stop.

import type { Phase } from './admin/app.ts';
import { type AdminListener, openAdminListener } from './admin/listener.ts';
import { Fault, reasonOf } from './errors.ts';
import { Events } from './events.ts';
import { wait } from './every.ts';
import { Health } from './health.ts';
import { type Log, openLog } from './log.ts';
import { openMetrics } from './metrics.ts';
import { type OpenParameters, openParameters } from './parameters/open-parameters.ts';
import { formatProblems, ParameterProblem, type Problem } from './parameters/problem.ts';
import type { Environment } from './parameters/resolve.ts';
import { type Action, actions, type StandardParameters } from './parameters/standard.ts';
import { printAction } from './print-action.ts';
import type { AnySidecar, Context } from './sidecar.ts';
import { leaveTerminationMessage } from './termination.ts';
import { sendWord } from './words.ts';

/** 0 stopped as asked, 1 failed, 64 wrong parameters, 75 drain deadline missed. */
export const exitCodes = { stopped: 0, failed: 1, usage: 64, drainDeadline: 75 } as const;

/** The whole of a sidecar's main.ts. Ends the process. */
export async function run(
  sidecar: AnySidecar,
  { argv = process.argv.slice(2), env = process.env }: { argv?: readonly string[]; env?: Environment } = {},
): Promise<never> {
  const parameters = await openParameters(sidecar, { argv, env });
  const action = (Object.keys(actions) as Action[]).find((each) => parameters.actions.has(each));
  if (action && action !== 'check') exit(await printAction(action, sidecar, parameters));
  // The one thing a hook or probe must not do is fail because some unrelated parameter is wrong.
  if (parameters.words.length > 0) exit(await sendWord(parameters));
  await parameters.check();
  if (parameters.problems.length > 0) exit(refuse(sidecar.name, parameters));
  if (action === 'check') exit(report(`${sidecar.name}: all parameters are right`));
  return exit(await live(sidecar, parameters));
}

// What was written to a pipe must be out before the process ends, hence no process.exit with output pending: stdout and
// stderr of short texts are synchronous for files and pipes on POSIX.
const exit = (code: number): never => process.exit(code);

function report(text: string): number {
  process.stdout.write(`${text}\n`);
  return exitCodes.stopped;
}

function refuse(name: string, { problems, values }: OpenParameters): number {
  return refuseWith(exitCodes.usage, name, problems, values.terminationMessageFile);
}

function refuseWith(code: number, name: string, problems: readonly Problem[], file: string | undefined): number {
  const text = formatProblems(name, problems);
  process.stderr.write(`${text}\n`);
  leaveTerminationMessage(file, text);
  return code;
}

async function live(sidecar: AnySidecar, parameters: OpenParameters): Promise<number> {
  const { values } = parameters;
  const log = openLog({ role: sidecar.name, level: values.logLevel, format: values.logFormat as 'json' | 'pretty' });
  const life = new Life(sidecar, parameters, log);
  try {
    await life.listen();
    await life.start();
    await life.asked;
  } catch (error) {
    life.fail(error);
  }
  return life.stop();
}

/** One run of a sidecar, from listening to its exit code. */
class Life {
  readonly #sidecar: AnySidecar;
  readonly #parameters: OpenParameters;
  readonly #log: Log;
  readonly #health = new Health();
  readonly #events = new Events();
  readonly #leaving = new AbortController();
  readonly #stopping = new AbortController();
  readonly #stack = new AsyncDisposableStack();
  readonly #started = this.#health.startup();
  readonly #asked = Promise.withResolvers<void>();
  #phase: Phase = 'starting';
  #listener: AdminListener | undefined;
  #state: { readonly value: unknown } | undefined;
  #starting: Promise<unknown> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(sidecar: AnySidecar, parameters: OpenParameters, log: Log) {
    this.#sidecar = sidecar;
    this.#parameters = parameters;
    this.#log = log;
    this.#health.check('leaving', () => (this.#leaving.signal.aborted ? 'the Pod is going' : undefined));
    for (const warning of parameters.warnings) log.warn(warning);
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
          exit(exitCodes.drainDeadline);
        }
        this.#log.info('Stopping', { signal: name });
        this.shutdown();
      });
    }
    process.on('SIGHUP', () => void this.#reload());
    process.on('uncaughtException', (error) => this.fail(error));
    process.on('unhandledRejection', (error) => this.fail(error));
  }

  async #reload(): Promise<void> {
    const { changed, needRestart, problems } = await this.#parameters.reload();
    if (problems.length > 0) {
      this.#log.error(formatProblems('The new parameters are refused and the old ones stay', problems));
      return;
    }
    this.#log.setLevel(this.#parameters.values.logLevel);
    if (needRestart.length > 0) this.#log.warn('Parameters changed that need a restart', { parameters: needRestart });
    this.#log.info('Parameters read again', { changed });
    this.#events.publish('parameters', { changed, needRestart });
  }

  async listen(): Promise<void> {
    const { name, version } = this.#sidecar;
    const { values } = this.#parameters;
    this.#metrics = openMetrics(name, this.#sidecar.metrics ?? {}, { version, phase: () => this.#phase });
    this.#listener = await openAdminListener(values.adminAddress, {
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
      prestop: () => this.prestop(),
      shutdown: () => this.shutdown(),
    });
    this.#log.info('Admin listener is up', { address: String(this.#listener.address), version });
  }

  #metrics: ReturnType<typeof openMetrics> | undefined;

  async start(): Promise<void> {
    // A signal may have come while the listener was opened.
    if (this.#stopping.signal.aborted) return;
    const context: Context<StandardParameters> = {
      parameters: this.#parameters.values as Context<StandardParameters>['parameters'],
      metrics: this.#metrics!.instruments,
      health: this.#health,
      log: this.#log,
      events: this.#events,
      leaving: this.#leaving.signal,
      signal: this.#stopping.signal,
      stack: this.#stack,
      fail: (error) => this.fail(error),
    };
    this.#starting = Promise.resolve(this.#sidecar.start(context));
    const value = await Promise.race([this.#starting, this.#asked.promise]);
    if (this.#stopping.signal.aborted) return;
    this.#state = { value };
    this.#started.release();
    this.#phase = this.#leaving.signal.aborted ? 'leaving' : 'serving';
    this.#log.info('Started', { milliseconds: Math.round(process.uptime() * 1000) });
    this.#events.publish('started');
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

  /** Disposes in reverse, within the deadline, and says how it went. */
  async stop(): Promise<number> {
    const { drainTimeout, terminationMessageFile } = this.#parameters.values;
    const deadline = new AbortController();
    const late = wait(drainTimeout, deadline.signal).then(() => 'late' as const);
    const ended = await Promise.race([this.#dispose(), late]);
    deadline.abort();
    late.catch(() => undefined);
    const code = this.#exitCode(ended === 'late');
    if (code !== exitCodes.stopped) leaveTerminationMessage(terminationMessageFile, this.#lastWords);
    else this.#log.info('Stopped');
    return code;
  }

  #lastWords = '';

  #exitCode(late: boolean): number {
    if (this.#failure) return this.#sayFailure(this.#failure.error);
    if (!late) return exitCodes.stopped;
    this.#lastWords = `Stopping took longer than --drain-timeout; the log says what was left`;
    this.#log.error(this.#lastWords, { drainTimeout: this.#parameters.values.drainTimeout });
    return exitCodes.drainDeadline;
  }

  #sayFailure(error: unknown): number {
    const { name } = this.#sidecar;
    if (error instanceof ParameterProblem) {
      const problem = this.#parameters.problemOf(error);
      this.#lastWords = formatProblems(name, [problem]);
      process.stderr.write(`${this.#lastWords}\n`);
      return exitCodes.failed;
    }
    this.#lastWords = `${name} failed: ${reasonOf(error)}`;
    this.#log.error(error instanceof Error ? error : this.#lastWords);
    if (error instanceof Fault) this.#lastWords += ` (${error.hint})`;
    return exitCodes.failed;
  }

  async #dispose(): Promise<'ended'> {
    // start may still be running: it sees the signal and ends, then what it had opened is closed.
    await this.#starting?.catch((error) => this.fail(error));
    try {
      await this.#stack.disposeAsync();
    } catch (error) {
      this.fail(error);
    }
    await this.#listener?.close();
    return 'ended';
  }
}
