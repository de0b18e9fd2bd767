// Everything that takes part: the application, the shipper with its state, the sinks, and who judges them.

import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { oneOf, type Scratch, scratch, seeded, until } from '@outrigger/core/testing';
import { Judge } from './judge.ts';
import { Producer, Shipper } from './processes.ts';
import type { ProducerOptions } from './producer.ts';
import { added, monotonic, type OracleSink } from './sink.ts';
import { StateVolume } from './state-volume.ts';
import { Truth } from './truth.ts';

export type WorldOptions = {
  readonly seed: number;
  readonly sinks: (directory: string, seed: number) => Promise<readonly OracleSink[]>;
  /** Lines per second on average. */
  readonly rate: number;
};

const rotations: readonly ProducerOptions['files'][number]['rotation'][] = [
  'rename',
  'copytruncate',
  'either',
  'never',
];

/** What a shipper has acknowledged it writes down within 250 ms; more where two cores are shared by many. */
const savedWithin = 2_500;

export class World implements AsyncDisposable {
  readonly stack = new AsyncDisposableStack();
  readonly seed: number;
  readonly sinks: readonly OracleSink[];
  readonly truth: Truth;
  readonly judges: readonly Judge[];
  readonly producer: Producer;
  /** Or why there is none. */
  readonly volume: StateVolume | string;
  /** What was seen to be wrong beside what the judges say. */
  readonly wrongs: string[] = [];
  readonly ends: string[] = [];
  shipper!: Shipper;
  readonly #directory: Scratch;
  readonly args: readonly string[];
  readonly #ended = new AbortController();
  #runs = 0;
  /** What each run has said. */
  readonly #said: string[] = [];
  /** The last run that was made to end. */
  #expected = -1;
  /** What keeps positions from being written, or acknowledgements from being heard: since when, until when. */
  readonly #disturbances: { since: number; until: number }[] = [];

  private constructor(options: WorldOptions, parts: Pick<World, 'sinks' | 'volume'> & { directory: Scratch }) {
    const { seed, rate } = options;
    const { directory, sinks, volume } = parts;
    this.seed = seed;
    this.sinks = sinks;
    this.volume = volume;
    this.#directory = directory;
    const random = seeded(seed, 7);
    const limit = oneOf(random, [2048, 16384]);
    const files = rotations.map((rotation, file) => ({ path: directory.join('logs', `app${file}.log`), rotation }));
    const script = { seed, limit };
    const journals = directory.join('journals');
    this.truth = new Truth(script, { paths: files.map(({ path }) => path), directory: journals });
    this.judges = sinks.map(({ name }) => new Judge(name, this.truth, script));
    this.producer = new Producer({ ...script, files, rate, directory: journals });
    this.args = [
      ...files.flatMap(({ path }) => ['--source-file-paths', path]),
      ...['--state-directory', directory.join('state'), '--path-field', added.path],
      ...['--source-file-poll-interval', oneOf(random, ['20ms', '100ms', '250ms'])],
      ...['--source-file-rotate-wait', oneOf(random, ['300ms', '2s'])],
      ...['--line-limit', String(limit), '--batch-limit', oneOf(random, ['8KiB', '64KiB', '1MiB'])],
      ...['--parser', oneOf(random, ['raw', 'json']), '--drain-timeout', '4s'],
      ...sinks.flatMap(({ args }) => args),
    ];
  }

  static async make(options: WorldOptions): Promise<World> {
    await using stack = new AsyncDisposableStack();
    const directory = stack.use(await scratch());
    for (const name of ['logs', 'state', 'journals', 'received']) await mkdir(directory.join(name));
    const sinks = await options.sinks(directory.join('received'), options.seed);
    for (const sink of sinks) stack.use(sink);
    const volume = await StateVolume.mount(directory.join('state'), 4 * 1024 ** 2);
    if (typeof volume !== 'string') stack.use(volume);
    const world = new World(options, { directory, sinks, volume });
    world.stack.use(stack.move());
    world.stack.use(world.producer);
    // What is rotated before its first start is none of the shipper's business.
    world.startShipper();
    await world.shipper.ledger();
    await world.producer.start();
    return world;
  }

  startShipper(): void {
    const prefix = typeof this.volume === 'string' ? [] : this.volume.prefix;
    const { sinks } = this;
    this.shipper = new Shipper(this.#runs++, { args: this.args, prefix, clock: this.clock, sinks });
  }

  get clock(): string {
    return this.#directory.join('clock');
  }

  shiftClock = (milliseconds: number): Promise<void> => writeFile(this.clock, String(milliseconds));

  /** Something is done that takes a while; what is acknowledged meanwhile may be heard of, and written down, late. */
  async disturb(doing: () => Promise<unknown>): Promise<void> {
    const disturbance = { since: monotonic(), until: Number.POSITIVE_INFINITY };
    this.#disturbances.push(disturbance);
    try {
      await doing();
    } finally {
      disturbance.until = monotonic();
    }
  }

  /** Ends the shipper, and knows what it may have to repeat. */
  async endShipper(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { run } = this.shipper;
    this.#expected = run;
    this.shipper.kill('SIGCONT');
    this.shipper.kill(signal);
    await until(() => !this.shipper.alive, {
      deadline: 30_000,
      what: () => `run ${run} to end by ${signal}: ${this.shipper.doing}\n${this.shipper.stderr.slice(-3000)}`,
    });
    const unsaved = this.#unsaved();
    for (const judge of this.judges) judge.ended(run, { unsaved });
    const { code, signal: by } = await this.shipper.exited;
    this.ends.push(by ?? String(code));
    this.#said[run] = this.shipper.stderr;
    await this.#keepLog();
    // One that had not begun yet dies of it.
    const fine = code === 0 || code === 75 || (by !== null && this.shipper.stderr === '');
    if (signal === 'SIGTERM' && !fine)
      this.wrongs.push(`run ${run} ended by SIGTERM with ${code ?? by}: ${this.shipper.stderr.slice(-2000)}`);
  }

  /** What a run has said of a file, in short, and when it was told to end. */
  saidOf(path: string, run: number): string {
    const lines = (this.#said[run] ?? '').split('\n');
    const wanted = lines.filter((line) => line.includes(`"${path}`) || line.includes('"Stopping"'));
    return wanted.map((line) => line.replace(/"(level|role|path|code|hint)":"[^"]*",/g, '')).join('\n');
  }

  /** For whoever looks for the reason of a failure: what the shipper said, and what it left. */
  async #keepLog(): Promise<void> {
    const { ORACLE_LOGS: directory } = process.env;
    if (!directory) return;
    const { run, stderr } = this.shipper;
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, `run-${run}.log`), stderr);
    const state = typeof this.volume === 'string' ? this.#directory.join('state') : this.volume.inside;
    await cp(state, join(directory, `state-${run}`), { recursive: true });
  }

  /** The same: what was written, and what came. */
  async #keepTruth(): Promise<void> {
    const { ORACLE_LOGS: directory } = process.env;
    if (!directory) return;
    for (const name of ['journals', 'received'])
      await cp(this.#directory.join(name), join(directory, name), { recursive: true });
  }

  /** From when on acknowledgements may not have been written down. */
  #unsaved(): number {
    let from = monotonic() - savedWithin;
    for (const { since, until } of this.#disturbances.toReversed())
      if (until > from) from = Math.min(from, since - savedWithin);
    return from;
  }

  /** Hands what has arrived to the judges. */
  look(): void {
    const arrivals = this.sinks.map((sink) => sink.received());
    // Afterwards: what has arrived was said to be written before it was.
    this.truth.update();
    for (const [index, judge] of this.judges.entries()) for (const arrival of arrivals[index]!) judge.take(arrival);
    const { run, alive, stderr } = this.shipper;
    if (!alive && this.#expected !== run) throw new Error(`run ${run} has ended by itself: ${stderr.slice(-3000)}`);
  }

  /** Until a sink has all that was written to its end by now. Given up when nothing more of that arrives: machines may be slow. */
  async untilDelivered(judge: Judge, patience: number): Promise<void> {
    this.look();
    const sizes = this.truth.logs.map(({ size }) => size);
    const missing = () => sizes.reduce((sum, size, file) => sum + Math.max(0, size - judge.reached(file)), 0);
    let best = { missing: missing(), at: monotonic() };
    while (best.missing > 0) {
      if (monotonic() - best.at > patience)
        throw new Error(`In ${patience} ms nothing came: ${judge.missing().join('; ')}`);
      await wait(50, undefined, { signal: this.#ended.signal });
      this.look();
      const now = missing();
      if (now < best.missing) best = { missing: now, at: monotonic() };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Whoever still waits for something would wait in a process that cannot end.
    this.#ended.abort();
    await this.#keepLog();
    await this.#keepTruth();
    await this.shipper[Symbol.asyncDispose]();
    await this.stack.disposeAsync();
  }
}
