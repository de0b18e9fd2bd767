// From batches to acknowledged batches: what every sink has around it. One batch at a time and in order, tried again for
// as long as it takes, whole or in pieces; what a receiver refuses for good is buried, with the reason.

import {
  type Backoff,
  backoff,
  type Context,
  formatDuration,
  heeding,
  type Parameters,
  pause,
  reasonOf,
} from '@outrigger/core';
import type { Batch, Provenance } from './batch.ts';
import { errors } from './errors.ts';
import type { metrics } from './metrics.ts';
import type { Outbox } from './outbox.ts';
import type { Death, Sink, Verdict } from './sink/sink.ts';
import type { Tap } from './tap.ts';

export type DeliveryState = 'idle' | 'sending' | 'retrying' | 'broken' | 'ended';

/** A record that a sink refuses for good. */
export type Letter = Provenance & { readonly sink: string; readonly reason: string };

type Options = Pick<Context<Parameters, typeof metrics>, 'log' | 'metrics' | 'events' | 'signal' | 'fail'> & {
  readonly name: string;
  readonly sink: Sink;
  readonly outbox: Outbox;
  /** Puts letters where they survive. Rejects when it cannot: then they are not acknowledged. */
  readonly bury: (letters: readonly Letter[]) => Promise<void>;
  /** Shows what became of a batch to whoever looks. */
  readonly tap: Tap;
};

/** Milliseconds until a receiver that refuses us is tried again, at least: somebody has to do something first. */
const pausedFor = 1000;
/** While stopping there is no later, and what is not delivered before the drain deadline is left. */
const longestWhileStopping = 1000;

export class Delivery implements AsyncDisposable {
  readonly name: string;
  state: DeliveryState = 'idle';
  /** Why the sink takes nothing at present. */
  trouble: { readonly reason: string; readonly since: Date } | undefined;
  deliveredAt: Date | undefined;
  inFlight: Batch | undefined;
  readonly #options: Options;
  readonly #running: Promise<void>;
  readonly #waits: Backoff = backoff({ min: '100ms', max: '30s' });
  /** The batch after the one under way, where it was needed to tell whether the receiver works. */
  #witness: { readonly batch: Batch; delivered: boolean } | undefined;

  constructor(options: Options) {
    this.name = options.name;
    this.#options = options;
    options.metrics.sinkUp.set({ sink: this.name }, 1);
    this.#running = this.#run().catch(options.fail);
  }

  async #run(): Promise<void> {
    const { outbox } = this.#options;
    for (;;) {
      const witness = this.#witness;
      this.#witness = undefined;
      const batch = witness?.batch ?? (await outbox.next());
      if (!batch) break;
      if (!(await this.#deliver(batch, witness?.delivered))) return;
    }
    this.state = 'ended';
  }

  /** Returns whether there is any sense in going on. */
  async #deliver(batch: Batch, delivered = false): Promise<boolean> {
    const { metrics } = this.#options;
    const sink = this.name;
    const begun = performance.now();
    this.inFlight = batch;
    metrics.inFlight.set({ sink }, batch.bytes.length);
    const pieces = batch.records > 0 && !delivered ? [batch] : [];
    for (let piece = pieces.shift(); piece; piece = pieces.shift()) {
      const verdict = await this.#attempt(piece);
      this.#options.tap.show(this.name, piece, verdict);
      if (verdict.became === 'broken') return this.#break(verdict.reason);
      pieces.unshift(...(await this.#heed(verdict, piece)));
      if (verdict.became === 'retry' && verdict.doubtful) await this.#ask();
    }
    this.inFlight = undefined;
    const { dropped } = batch;
    batch.acknowledge();
    metrics.inFlight.set({ sink }, 0);
    for (const [reason, bytes] of Object.entries(dropped)) metrics.dropped.inc({ sink, reason }, bytes);
    metrics.deliveryDuration.observe({ sink }, (performance.now() - begun) / 1000);
    this.state = 'idle';
    return true;
  }

  /** Sends the next batch before its time: if that is taken, the receiver works, and what it does not take is to blame. */
  async #ask(): Promise<void> {
    const next = this.#witness?.batch ?? this.#options.outbox.ready();
    if (!next) return;
    this.#witness ??= { batch: next, delivered: next.records === 0 };
    if (this.#witness.delivered) return;
    const verdict = await this.#attempt(next);
    this.#options.tap.show(this.name, next, verdict);
    if (verdict.became !== 'delivered') return;
    this.#count(next);
    this.#witness.delivered = true;
  }

  async #attempt(piece: Batch): Promise<Verdict> {
    const { sink, metrics } = this.#options;
    if (this.trouble) metrics.retries.inc({ sink: this.name });
    this.state = this.trouble ? this.state : 'sending';
    const deadline = new AbortController();
    const late = () => deadline.abort(new Error(`no answer within ${formatDuration(sink.timeout ?? 0)}`));
    const timer = sink.timeout === undefined ? undefined : setTimeout(late, sink.timeout);
    try {
      return await sink.write(piece, deadline.signal);
    } catch (error) {
      return { became: 'retry', reason: reasonOf(error) };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Does what the verdict asks for. Returns what is still to be sent. */
  async #heed(verdict: Exclude<Verdict, { became: 'broken' }>, piece: Batch): Promise<readonly Batch[]> {
    switch (verdict.became) {
      case 'delivered':
        this.#took(piece);
        return [];
      case 'retry':
        this.#down(verdict.reason);
        await this.#wait(verdict.after);
        return [piece];
      case 'paused':
        this.#down(verdict.reason);
        await this.#wait(pausedFor);
        return [piece];
      case 'split': {
        const { records } = piece;
        if (records === 1) return this.#bury(piece, [{ index: 0, reason: verdict.reason }]);
        const middle = Math.ceil(records / 2);
        return [piece.slice(0, middle), piece.slice(middle, records)];
      }
      case 'dead':
        return this.#bury(
          piece,
          Array.from({ length: piece.records }, (_, index) => ({ index, ...verdict })),
        );
      case 'partly':
        return this.#divide(verdict, piece);
    }
  }

  async #divide(verdict: Extract<Verdict, { became: 'partly' }>, piece: Batch): Promise<readonly Batch[]> {
    const { retry, dead, reason, after } = verdict;
    await this.#bury(piece, dead);
    const others = new Set([...retry, ...dead.map(({ index }) => index)]);
    const taken = Array.from({ length: piece.records }, (_, index) => index).filter((index) => !others.has(index));
    if (taken.length > 0) this.#count(piece.pick(taken));
    if (retry.length === 0) {
      this.#up();
      return [];
    }
    // One that takes only a part is not up again: it would be told to be so, and asked again at once, with every attempt.
    this.#down(reason);
    // A receiver that names one bad record at a time has nothing against the others.
    if (dead.length === 0 || after !== undefined) await this.#wait(after);
    return [piece.pick(retry)];
  }

  /** Not acknowledged before they are where they survive. */
  async #bury(piece: Batch, deaths: readonly Death[]): Promise<readonly Batch[]> {
    const { bury, metrics, log } = this.#options;
    const [first] = deaths;
    if (!first) return [];
    const letters = deaths.map(({ index, reason }) => ({ ...piece.provenance(index), sink: this.name, reason }));
    for (;;) {
      try {
        await bury(letters);
        break;
      } catch (error) {
        this.#down(`dead letters cannot be written: ${reasonOf(error)}`);
        await this.#wait();
      }
    }
    for (const { index } of deaths) piece.bury(index);
    metrics.dead.inc(
      { sink: this.name },
      letters.reduce((sum, { length }) => sum + length, 0),
    );
    metrics.deadRecords.inc({ sink: this.name }, deaths.length);
    log.warn(errors.LOG_SHIPPER_REFUSED({ sink: this.name, records: deaths.length, reason: first.reason }));
    return [];
  }

  #took(piece: Batch): void {
    this.#up();
    this.#count(piece);
  }

  #count(piece: Batch): void {
    const { metrics } = this.#options;
    this.deliveredAt = new Date();
    metrics.deliveredRecords.inc({ sink: this.name }, piece.records);
    metrics.delivered.inc({ sink: this.name }, piece.source);
  }

  async #wait(after = 0): Promise<void> {
    const { signal } = this.#options;
    const stopping = signal.aborted;
    const milliseconds = heeding(this.#waits.next(), after);
    await pause(stopping ? Math.min(milliseconds, longestWhileStopping) : milliseconds, stopping ? undefined : signal);
  }

  /** Said when it begins and when the reason changes, not with every attempt. */
  #down(reason: string): void {
    this.state = 'retrying';
    const { log, events, metrics } = this.#options;
    if (this.trouble?.reason === reason) return;
    if (!this.trouble) {
      metrics.sinkUp.set({ sink: this.name }, 0);
      events.publish('sink-down', { sink: this.name, reason });
    }
    log.warn(errors.LOG_SHIPPER_SINK_DOWN({ sink: this.name, reason }));
    this.trouble = { reason, since: this.trouble?.since ?? new Date() };
  }

  #up(): void {
    this.#waits.reset();
    if (!this.trouble) return;
    const { log, events, metrics } = this.#options;
    metrics.sinkUp.set({ sink: this.name }, 1);
    events.publish('sink-up', { sink: this.name });
    log.info('Sink takes records again', { sink: this.name, since: this.trouble.since.toISOString() });
    this.trouble = undefined;
  }

  #break(reason: string): false {
    this.state = 'broken';
    this.trouble = { reason, since: new Date() };
    this.#options.metrics.sinkUp.set({ sink: this.name }, 0);
    this.#options.fail(errors.LOG_SHIPPER_SINK_BROKEN({ sink: this.name, reason }));
    return false;
  }

  /** Waits until everything the source had is acknowledged; how long that may take is the caller's to say. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running;
    await this.#options.sink.close?.();
  }
}
