// All sources that were asked for, as one: those that read files, and those that are pushed to with the queue on disk between
// them and the sinks.

import { join } from 'node:path';
import type { Chosen, Context } from '@outrigger/core';
import { byTurns } from './by-turns.ts';
import { errors } from './errors.ts';
import { Intake, type IntakeOptions } from './intake.ts';
import type { Ledger } from './ledger.ts';
import { untilMemory } from './memory.ts';
import type { metrics } from './metrics.ts';
import type { parameters } from './parameters.ts';
import { holds, type Pipeline } from './pipeline.ts';
import type { PushMember, PushSource } from './source/push.ts';
import type { Chunk, Source, SourceMember, Trouble } from './source/source.ts';
import { directoryName } from './spool/segment.ts';
import { Spool, type SpoolEvent } from './spool/spool.ts';

type ShipperContext = Context<typeof parameters, typeof metrics>;
type Options = { readonly ledger: Ledger; readonly context: ShipperContext };

const isPushed = (member: SourceMember | PushMember): member is PushMember => 'pushes' in member;

/** OTLP's severityNumber of the first of each. */
const levels = { debug: 5, info: 9, warn: 13, error: 17 } as const;

/** Disposed after the sinks: it closes files and the queue. */
export class Sources implements AsyncDisposable {
  readonly #sources: Source[] = [];
  readonly #pushed: PushSource[] = [];
  readonly #stack = new AsyncDisposableStack();
  readonly #ledger: Ledger;
  readonly #context: ShipperContext;
  queue: Spool | undefined;

  private constructor({ ledger, context }: Options) {
    this.#ledger = ledger;
    this.#context = context;
  }

  /** Opens the files and the queue; nothing is listened to yet. */
  static async open(options: Options): Promise<Sources> {
    const sources = new Sources(options);
    for (const { member, parameters } of options.context.parameters.source)
      if (!isPushed(member)) await sources.#openFiles(member, parameters);
    if (options.context.parameters.source.some(({ member }) => isPushed(member))) await sources.#openQueue();
    return sources;
  }

  async #openFiles(member: SourceMember, parameters: Chosen<SourceMember>['parameters']): Promise<void> {
    const context = this.#context;
    const { stateDirectory, lineLimit, drainTimeout, joinTimeout } = context.parameters;
    const source = await member.open({
      ...context,
      parameters,
      ledger: this.#ledger,
      stateDirectory,
      written: context.parameters.sink.flatMap((sink) => sink.member.writes?.(sink.parameters) ?? []),
      lineLimit,
      holdTimeout: holds(context.parameters, member) ? joinTimeout : undefined,
      patience: drainTimeout / 2,
    });
    this.#sources.push(this.#stack.use(source));
  }

  async #openQueue(): Promise<void> {
    const { parameters, health } = this.#context;
    const { queueLimit, whenQueueFull, queueKeepLevel, queueSync, stateDirectory, lineField } = parameters;
    const queue = await Spool.open({
      directory: join(stateDirectory, directoryName),
      sinks: this.#ledger.sinks,
      ...(this.#ledger.keptQueue && { positions: this.#ledger.keptQueue }),
      limit: queueLimit,
      policy: whenQueueFull,
      level: levels[queueKeepLevel],
      sync: queueSync,
      lineField,
      tell: (event) => this.#tell(event),
      moved: () => this.#ledger.changed(),
    });
    this.queue = this.#stack.use(queue);
    this.#ledger.queue = queue;
    health.check('queue', () => queue.trouble);
  }

  #tell(event: SpoolEvent): void {
    const { log, metrics } = this.#context;
    if (event.what === 'damaged') {
      metrics.queueDamaged.inc(event.bytes);
      log.error(errors.LOG_SHIPPER_QUEUE_DAMAGED({ ...event }));
    } else if (event.what === 'dropped') {
      metrics.queueDropped.inc({ reason: event.reason }, event.records);
      log.warn(errors.LOG_SHIPPER_QUEUE_FULL({ ...event }));
    } else if (event.what === 'unusable') log.error(errors.LOG_SHIPPER_QUEUE_UNUSABLE({ ...event }));
    else if (event.reason === undefined) log.info('The disk queue takes records again');
    else log.error(errors.LOG_SHIPPER_QUEUE_REFUSES({ reason: event.reason }));
  }

  /** Only now: what comes in has somewhere to go. Disposing what this returns ends it, and with it what sinks read. */
  async listen(pipeline: Pipeline): Promise<AsyncDisposable> {
    const { queue } = this;
    const listening = new AsyncDisposableStack();
    if (!queue) return listening;
    listening.defer(() => queue.end());
    const { parameters, log, metrics } = this.#context;
    const intake = new Intake({
      queue: this.#whileThereIsMemory(queue),
      settle: (records, from) => pipeline.settle(records, from),
      lineLimit: parameters.lineLimit,
      stripReturn: parameters.stripCarriageReturn,
      count(source, result, records, bytes) {
        metrics.receivedRecords.inc({ source, result }, records);
        metrics.received.inc({ source, result }, bytes);
      },
    });
    for (const { name, member, parameters: own } of parameters.source) {
      if (!isPushed(member)) continue;
      const source = await member.open({ log, parameters: own, intake });
      this.#pushed.push(listening.use(source));
      if (source.listening !== undefined) log.info('Listening', { source: name, at: source.listening });
    }
    this.#stopWhenAllHaveEnded();
    return listening;
  }

  /** The files keep what is not read yet; senders have to keep what is not taken. */
  #whileThereIsMemory(queue: Spool): IntakeOptions['queue'] {
    const { memory, signal: stop } = this.#context;
    return {
      put: async (lines) => (memory.shedding ? 'full' : await queue.put(lines)),
      async room(signal = stop) {
        await untilMemory(memory, signal);
        await queue.room(signal);
      },
    };
  }

  /** `application | log-shipper` ends with the application; whatever listens goes on. */
  #stopWhenAllHaveEnded(): void {
    const ends = this.#pushed.map(({ ended }) => ended);
    if (this.#sources.length > 0 || ends.includes(undefined)) return;
    Promise.all(ends).then(() => this.#context.stop(), this.#context.fail);
  }

  /** What there is for a sink, of all sources by turns. */
  chunks(sink: string): AsyncIterable<Chunk> {
    const all: AsyncIterable<Chunk>[] = this.#sources.map((source) => source.chunks(sink));
    if (this.queue) all.push(this.queue.chunks(sink));
    return all.length === 1 ? all[0]! : byTurns(all);
  }

  get troubles(): readonly Trouble[] {
    return [...this.#sources, ...this.#pushed].flatMap(({ troubles }) => troubles);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
