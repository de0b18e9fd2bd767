// Where one rule works: a scratch directory, and what it starts there.

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kill, processesWith } from '../run/process/strays.ts';
import { type Engine, engineOf } from './engine.ts';
import { Skip } from './rule.ts';
import { Sidecar } from './sidecar.ts';
import { Place, type Subject } from './subject.ts';
import type { Surroundings } from './surroundings.ts';

export type StartOptions = {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly inside?: Surroundings;
};

/** Whatever is started inherits it: it is how processes of one rule are told from others. */
const mark = 'CONFORMANCE_OF';

export class Bench implements AsyncDisposable {
  readonly subject: Subject;
  readonly place: Place;
  /** Milliseconds that starting and stopping may take. */
  readonly deadline: number;
  readonly #stack = new AsyncDisposableStack();
  readonly #engine: Engine | undefined;
  readonly #sidecars: Sidecar[] = [];

  private constructor(subject: Subject, place: Place, deadline: number) {
    this.subject = subject;
    this.place = place;
    this.deadline = deadline;
    this.#engine = engineOf(subject.command);
    this.#stack.defer(() => this.#clear());
  }

  static async open(subject: Subject, deadline: number): Promise<Bench> {
    const scratch = await mkdtemp(join(tmpdir(), 'outrigger-conformance-'));
    try {
      // In an image it is another user who reads and writes here.
      await chmod(scratch, 0o777);
      return new Bench(subject, await Place.lay(scratch, subject), deadline);
    } catch (error) {
      await rm(scratch, { recursive: true, force: true });
      throw error;
    }
  }

  /** What the sidecars of this rule said last. */
  get stderr(): string {
    return this.#sidecars.at(-1)?.stderr ?? '';
  }

  /** The program runs in a container of its own making: what surrounds it here does not surround it there. */
  get inContainer(): boolean {
    return this.#engine !== undefined;
  }

  /** Of whatever is started for this rule: it ends with the rule. */
  get env(): Readonly<Record<string, string>> {
    return { ...inherited, [mark]: this.place.scratch };
  }

  /** Starts it and waits for nothing. It is killed when the rule is over. */
  async start({ args = [], env = {}, inside }: StartOptions = {}): Promise<Sidecar> {
    const { subject, place } = this;
    const filled = Object.entries(subject.env).map(([name, value]) => [name, place.fill(value)]);
    const own = { OUTRIGGER_ADMIN_ADDRESS: place.admin, ...Object.fromEntries(filled), ...inside?.env, ...env };
    const command = [...subject.command.map((word) => place.fill(word)), ...args];
    const words = this.#engine
      ? this.#engine.wrap(command, { env: own, scratch: place.scratch, inside })
      : [...((await inside?.before()) ?? []), ...command];
    // The check of a rule that was interrupted goes on until it notices.
    if (this.#stack.disposed) throw new Error('The rule is over');
    const sidecar = await Sidecar.start({
      words,
      env: { ...this.env, ...own },
      port: place.port,
      deadline: this.deadline,
      forks: inside?.forks === true && !this.#engine,
    });
    this.#sidecars.push(sidecar);
    this.#stack.use(sidecar);
    return sidecar;
  }

  /** Starts it and waits until /startupz answers 200. */
  async serve(options: StartOptions = {}): Promise<Sidecar> {
    const sidecar = await this.start(options);
    await sidecar.answers('/startupz');
    return sidecar;
  }

  /** A client of its admin port that sends this and then nothing more. */
  async stall(text: string): Promise<Socket> {
    const socket = connect(this.place.port, '127.0.0.1').resume();
    this.defer(() => socket.destroy());
    const connected = new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
    // That it is refused is as good as that it is ignored.
    socket.on('error', () => undefined);
    await connected;
    socket.write(text, 'latin1');
    return socket;
  }

  /** Closed when the rule is over, after the sidecars that are started later. */
  defer(close: () => unknown): void {
    this.#stack.defer(async () => void (await close()));
  }

  /** Processes of this rule that still run, by what was in their environment when they were born. */
  leftovers(): number[] {
    if (this.#engine) throw new Skip('The processes of a container end with it');
    return processesWith(`${mark}=${this.place.scratch}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }

  /** Last of all, whatever could not be closed. */
  async #clear(): Promise<void> {
    await this.#engine?.remove(this.place.scratch);
    for (const pid of processesWith(`${mark}=${this.place.scratch}`)) kill(pid);
    await rm(this.place.scratch, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A developer's own OUTRIGGER_* variables are not the sidecar's. */
const inherited = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('OUTRIGGER_')),
) as Record<string, string>;
