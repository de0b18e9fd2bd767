// From batches to acknowledged batches: what every sink has around it. One batch at a time and in order, tried again for
// as long as it takes; the next one is made ready meanwhile, and that is all that is held in memory.

import { type Context, formatDuration, type Parameters, reasonOf, retry } from '@outrigger/core';
import type { Batch } from './encode.ts';
import { errors } from './errors.ts';
import type { metrics } from './metrics.ts';
import type { Outcome, Sink } from './sink/sink.ts';

export type DeliveryState = 'idle' | 'sending' | 'retrying' | 'broken' | 'ended';

type Options = Pick<Context<Parameters, typeof metrics>, 'log' | 'metrics' | 'events' | 'signal' | 'fail'> & {
  readonly name: string;
  readonly sink: Sink;
  readonly batches: AsyncIterable<Batch>;
};

export class Delivery implements AsyncDisposable {
  readonly name: string;
  state: DeliveryState = 'idle';
  /** Why the sink takes nothing at present. */
  trouble: { readonly reason: string; readonly since: Date } | undefined;
  deliveredAt: Date | undefined;
  inFlight: Batch | undefined;
  readonly #options: Options;
  readonly #running: Promise<void>;

  constructor(options: Options) {
    this.name = options.name;
    this.#options = options;
    options.metrics.sinkUp.set({ sink: this.name }, 1);
    this.#running = this.#run().catch(options.fail);
  }

  async #run(): Promise<void> {
    const batches = this.#options.batches[Symbol.asyncIterator]();
    let next = batches.next();
    for (;;) {
      const { value: batch, done } = await next;
      if (done) break;
      // Read and encoded while this one is on its way.
      next = batches.next();
      if (!(await this.#deliver(batch))) break;
    }
    this.state = this.state === 'broken' ? 'broken' : 'ended';
  }

  /** Returns whether there is any sense in going on. */
  async #deliver(batch: Batch): Promise<boolean> {
    const { metrics } = this.#options;
    const sink = this.name;
    const begun = performance.now();
    this.inFlight = batch;
    metrics.inFlight.set({ sink }, batch.bytes.length);
    this.state = 'sending';
    const outcome = await this.#send(batch);
    if (outcome.became === 'broken') return this.#break(outcome.reason);
    this.#up();
    this.inFlight = undefined;
    this.deliveredAt = new Date();
    batch.acknowledge();
    metrics.inFlight.set({ sink }, 0);
    metrics.deliveredRecords.inc({ sink }, batch.records);
    metrics.delivered.inc({ sink }, batch.source);
    metrics.deliveryDuration.observe({ sink }, (performance.now() - begun) / 1000);
    this.state = 'idle';
    return true;
  }

  /** As long as it takes. */
  async #send(batch: Batch): Promise<Outcome> {
    const { signal } = this.#options;
    const attempt = () => this.#attempt(batch);
    const patient = retry(attempt, { backoff: { min: '100ms', max: '30s' }, signal });
    // While stopping there is no later: the waits are short, and what is not delivered before the drain deadline is left.
    return patient.catch(() => retry(attempt, { backoff: { min: '100ms', max: '1s' } }));
  }

  async #attempt(batch: Batch): Promise<Outcome> {
    const { sink, metrics } = this.#options;
    if (this.state === 'retrying') metrics.retries.inc({ sink: this.name });
    const deadline = new AbortController();
    const late = () => deadline.abort(new Error(`no answer within ${formatDuration(sink.timeout ?? 0)}`));
    const timer = sink.timeout === undefined ? undefined : setTimeout(late, sink.timeout);
    try {
      const outcome = await sink.write(batch, deadline.signal);
      if (outcome.became === 'undelivered') throw new Error(outcome.reason);
      return outcome;
    } catch (error) {
      this.#down(reasonOf(error));
      throw error;
    } finally {
      clearTimeout(timer);
    }
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
    this.#options.sink.close?.();
  }
}
