// The two processes that are killed and stopped: the application and the shipper.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Exit, type Peer, startPeer, until } from '@outrigger/core/testing';
import type { LedgerView } from '../../src/api.ts';
import type { ProducerOptions } from './producer.ts';
import { added, type OracleSink } from './sink.ts';

/** A developer's own variables must not reach the shipper. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('OUTRIGGER_')));

export class Shipper implements AsyncDisposable {
  /** How often it was started before. */
  readonly run: number;
  readonly #child: ChildProcess;
  readonly exited: Promise<Exit>;
  stderr = '';

  constructor(run: number, { args, prefix, clock, sinks }: ShipperOptions) {
    this.run = run;
    const main = fileURLToPath(import.meta.resolve('../../src/main.ts'));
    const own = ['--log-level', 'debug', '--admin-address', '127.0.0.1:0', '--fields', `${added.run}=${run}`];
    const [program, ...rest] = [...prefix, process.execPath, main, ...own, ...args];
    const preload = `--import=${import.meta.resolve('./clock.ts')}`;
    const env = { ...environment, NODE_OPTIONS: preload, ORACLE_CLOCK: clock };
    this.#child = spawn(program!, rest, { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    // After 'close' all that it has printed has been read: what the next one prints comes later.
    this.exited = once(this.#child, 'close').then(([code, signal]) => ({ code, signal }));
    this.#child.once('exit', () => this.#child.stdout!.resume());
    for (const sink of sinks) sink.attach?.(this.#child.stdout!, run);
    if (sinks.every(({ attach }) => !attach)) this.#child.stdout!.resume();
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** In which state the kernel has it, and where. */
  get doing(): string {
    const state = readFileSync(`/proc/${this.pid}/status`, 'latin1').match(/^State:.*$/m)?.[0];
    return `${state}, in ${readFileSync(`/proc/${this.pid}/wchan`, 'latin1')}`;
  }

  get url(): string | undefined {
    const address = /"address":"([^"]+)"[^\n]*Admin listener is up/.exec(this.stderr)?.[1];
    return address && `http://${address}`;
  }

  async ledger(): Promise<LedgerView> {
    const response = await until(() => this.#ask('/v1/ledger'), {
      deadline: 20_000,
      what: () => `the ledger of run ${this.run}: ${this.stderr.slice(-2000)}`,
    });
    return (await response.json()) as LedgerView;
  }

  async #ask(path: string): Promise<Response | undefined> {
    if (!this.alive) throw new Error(`run ${this.run} has ended: ${this.stderr.slice(-2000)}`);
    const { url } = this;
    const response = url === undefined ? undefined : await fetch(`${url}${path}`);
    return response?.ok ? response : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.alive) this.#child.kill('SIGKILL');
    await this.exited;
  }
}

export type ShipperOptions = {
  readonly args: readonly string[];
  readonly prefix: readonly string[];
  /** A file that says how far its clock is off. */
  readonly clock: string;
  readonly sinks: readonly OracleSink[];
};

export class Producer implements AsyncDisposable {
  readonly #options: Omit<ProducerOptions, 'life'>;
  #peer: Peer | undefined;
  #lives = 0;

  constructor(options: Omit<ProducerOptions, 'life'>) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const script = fileURLToPath(import.meta.resolve('./producer.ts'));
    const options: ProducerOptions = { ...this.#options, life: this.#lives++ };
    this.#peer = await startPeer(process.execPath, [script, JSON.stringify(options)], {
      ready: /ready/,
      input: true,
      deadline: 60_000,
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#peer!.kill(signal);
  }

  async end(): Promise<void> {
    await this.#peer?.[Symbol.asyncDispose]();
  }

  /** Resolves when it is between two lines and has done all that it has begun. */
  pause = (): Promise<void> => this.#tell('pause', 'paused');
  resume = (): Promise<void> => this.#tell('resume', 'resumed');

  async #tell(word: string, answer: string): Promise<void> {
    const peer = this.#peer!;
    const count = () => peer.stdout.split(`${answer}\n`).length;
    const before = count();
    peer.process.stdin!.write(`${word}\n`);
    await until(() => count() > before, {
      deadline: 30_000,
      what: () => `the producer to be ${answer}: ${peer.stderr}`,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
