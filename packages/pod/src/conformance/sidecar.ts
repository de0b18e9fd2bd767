// One process of the sidecar under test, in a group of its own, as its platform sees it: signals, exit, output, its port.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { pause, wait } from '@outrigger/core';
import { type Answered, type Call, openClient } from '@outrigger/core/client';
import { kill } from '../run/process/strays.ts';
import { Broken, demand } from './rule.ts';

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type Question = Partial<Pick<Call, 'method' | 'headers' | 'timeout'>>;

export type SidecarOptions = {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  /** Milliseconds that starting and stopping may take. */
  readonly deadline: number;
  readonly forks: boolean;
};

const outputCharacters = 256 * 1024;

export class Sidecar implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #options: SidecarOptions;
  #exit: Exit | undefined;
  #stdout = '';
  #stderr = '';
  /** Resolves when the process has ended, whatever its children do. */
  readonly exited: Promise<Exit>;
  /** Resolves when nothing more will be heard from it. */
  readonly #closed: Promise<unknown>;

  /** Throws Broken when the command cannot be started. */
  static async start(options: SidecarOptions): Promise<Sidecar> {
    const { words, env } = options;
    try {
      // A group of its own: Ctrl-C reaches it only through us, and all of it can be killed.
      const child = spawn(words[0]!, words.slice(1), { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
      await once(child, 'spawn');
      return new Sidecar(child, options);
    } catch (error) {
      throw new Broken('a command that can be started', (error as Error).message);
    }
  }

  private constructor(child: ChildProcess, options: SidecarOptions) {
    this.#child = child;
    this.#options = options;
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
    this.#closed = new Promise((resolve) => child.once('close', resolve));
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout = (this.#stdout + text).slice(-outputCharacters);
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-outputCharacters);
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The process of the program itself, behind what only surrounds it. */
  get pid(): number | undefined {
    const { pid } = this.#child;
    return this.#options.forks && pid !== undefined ? childOf(pid) : pid;
  }

  /** On a connection of its own, as the kubelet asks. */
  async #send(call: Call): Promise<Answered> {
    using client = openClient(`http://127.0.0.1:${this.#options.port}`);
    return await client.send(call);
  }

  /** Asks its admin port; any status is an answer. Throws Broken when there is none. */
  async ask(path: string, { method = 'GET', ...question }: Question = {}): Promise<Answered> {
    try {
      return await this.#send({ method, path, ...question });
    } catch (error) {
      throw new Broken(`an answer to ${method} ${path}`, `${(error as Error).message}${this.#obituary()}`);
    }
  }

  /** The status of the answer, or undefined when nobody answers. */
  async status(path: string): Promise<number | undefined> {
    return this.#send({ method: 'GET', path, timeout: 1_000 }).then(
      ({ status }) => status,
      () => undefined,
    );
  }

  /** Until `GET <path>` answers with the status. */
  async answers(path: string, status = 200): Promise<void> {
    let seen: number | undefined;
    await this.until(async () => {
      seen = await this.status(path);
      return seen === status;
    }, [`${path} to answer ${status}`, () => (seen === undefined ? 'no answer' : `${seen}`)]);
  }

  /** Asks again and again until it holds; throws Broken at the deadline, or when the process has ended. */
  async until(
    holds: () => boolean | Promise<boolean>,
    [expected, seen]: readonly [string, () => string],
    deadline: number = this.#options.deadline,
  ): Promise<void> {
    const end = performance.now() + deadline;
    for (let interval = 5; ; interval = Math.min(100, interval * 1.5)) {
      if (await holds()) return;
      const over = performance.now() > end;
      demand(!over && !this.#exit, `${expected} within ${seconds(deadline)}`, () => seen() + this.#obituary());
      await Promise.race([wait(interval), this.exited]);
    }
  }

  get running(): boolean {
    return this.#exit === undefined;
  }

  /** It has not ended. */
  alive(expected: string): void {
    demand(!this.#exit, expected, () => this.#obituary().slice(2));
  }

  signal(name: NodeJS.Signals): void {
    const { pid } = this;
    demand(pid !== undefined && !this.#exit, `a process that takes ${name}`, () => this.#obituary().slice(2));
    kill(pid, name);
  }

  /** Ends it, whether it listens or not: what the rule wants to know is something else. */
  async stop(): Promise<void> {
    if (this.running) this.signal('SIGTERM');
    await this.ended().catch(() => this.#kill());
  }

  /** How it ended. Throws Broken when it has not within the deadline. */
  async ended(deadline: number = this.#options.deadline): Promise<Exit> {
    const over = new AbortController();
    const exit = await Promise.race([this.exited, pause(deadline, over.signal)]);
    over.abort();
    if (!exit) throw new Broken(`its end within ${seconds(deadline)}`, 'it still runs');
    // What it said last is on its way.
    await Promise.race([this.#closed, wait(100)]);
    return exit;
  }

  /** It ends with one of these exit codes. */
  async endsWith(codes: readonly number[], deadline?: number): Promise<void> {
    const exit = await this.ended(deadline);
    demand(exit.code !== null && codes.includes(exit.code), `exit code ${codes.join(' or ')}`, () => sayExit(exit));
  }

  #obituary(): string {
    return this.#exit ? `; it has ended with ${sayExit(this.#exit)}` : '';
  }

  async #kill(): Promise<void> {
    kill(-this.#child.pid!, 'SIGKILL');
    await this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kill();
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.destroy();
  }
}

const seconds = (milliseconds: number) => `${milliseconds / 1000} s`;

export const sayExit = ({ code, signal }: Exit): string =>
  signal ? `${signal} (as exit code ${128 + constants.signals[signal]})` : `exit code ${code}`;

function childOf(pid: number): number | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  return children ? Number(children.split(' ')[0]) : undefined;
}
