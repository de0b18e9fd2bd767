// Between sources that push and the queue on disk: what they were given is parsed and transformed, so that nothing gets onto
// the disk that is not to be there, and is safe when they say so to their sender.

import { frame } from './frame.ts';
import { type Fields, type Instant, Records } from './records.ts';
import type { Chunk } from './source/source.ts';
import type { Put } from './spool/writer.ts';

/** A record that came with its fields. */
export type Entry = {
  readonly time?: Instant | undefined;
  /** OTLP's severityNumber. */
  readonly level?: number | undefined;
  readonly fields: Fields;
  readonly tag?: string | undefined;
};

/** Where records come from. */
export type From = {
  /** The source's name. */
  readonly source: string;
  /** Who sent them, as a person would say it. */
  readonly peer?: string | undefined;
  /** What a line is, where the source knows. */
  readonly parser?: 'syslog' | undefined;
};

/** What the lead puts in: parses, transforms, gives settled lines. */
export type Settle = (records: Records, from: From) => Buffer;

export type IntakeOptions = {
  readonly queue: { put(lines: Buffer): Promise<Put>; room(signal?: AbortSignal): Promise<void> };
  readonly settle: Settle;
  readonly lineLimit: number;
  readonly stripReturn?: boolean;
  /** What was received and is safe, and what was refused for want of room. */
  readonly count?: (source: string, became: 'safe' | 'full' | 'dropped', records: number, bytes: number) => void;
};

/** Settled at a time: what else waits has its turn in between. */
const most = 1000;

export class Intake {
  readonly lineLimit: number;
  readonly #options: IntakeOptions;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.lineLimit = options.lineLimit;
  }

  /** Whole lines. With 'part' the last goes on in what comes next. */
  lines(bytes: Buffer, from: From, last: 'line' | 'part' = 'line'): Promise<Put> {
    const { lineLimit: limit, stripReturn } = this.#options;
    const records = frame(pushed(bytes, from, last), { limit, ...(stripReturn && { stripReturn }) });
    if (last === 'part') records.own.set(records.count - 1, { partial: true });
    return this.#put(records, from, bytes.length);
  }

  /**
   * Messages that may hold newlines.
   * @param partial indices of those that go on in the next
   */
  messages(messages: readonly Buffer[], from: From, partial: readonly number[] = []): Promise<Put> {
    const bytes = messages.length === 1 ? messages[0]! : Buffer.concat(messages);
    const spans: number[] = [];
    let at = 0;
    for (const { length } of messages) {
      spans.push(at, at + length);
      at += length;
    }
    const records = new Records({ chunk: pushed(bytes, from), spans, length: at });
    for (const index of partial) records.own.set(index, { partial: true });
    return this.#put(records, from, at);
  }

  /** @param bytes what they took on their way, for the count. */
  async entries(entries: Iterable<Entry>, from: From, bytes: number): Promise<Put> {
    const put = await this.prepare(entries, from, bytes);
    return put();
  }

  /** Entries, asked for a few at a time, as one put that can be tried again. */
  async prepare(entries: Iterable<Entry>, from: From, bytes: number): Promise<() => Promise<Put>> {
    const settled: Buffer[] = [];
    let records = 0;
    let some: Entry[] = [];
    const settle = () => {
      if (some.length > 0) settled.push(this.#options.settle(recordsOf(some, from), from));
      records += some.length;
      some = [];
    };
    for (const entry of entries) {
      some.push(entry);
      if (some.length < most) continue;
      settle();
      await new Promise(setImmediate);
    }
    settle();
    const lines = settled.length === 1 ? settled[0]! : Buffer.concat(settled);
    return () => this.#counted(lines, from, { records, bytes });
  }

  /** Resolves when it makes sense to try again what found no room. */
  room(signal?: AbortSignal): Promise<void> {
    return this.#options.queue.room(signal);
  }

  /** What a source has received and could not give to anybody. */
  dropped(source: string, records: number, bytes: number): void {
    this.#options.count?.(source, 'dropped', records, bytes);
  }

  #put(records: Records, from: From, bytes: number): Promise<Put> {
    return this.#counted(this.#options.settle(records, from), from, { records: records.count, bytes });
  }

  async #counted(
    lines: Buffer,
    { source }: From,
    { records, bytes }: { records: number; bytes: number },
  ): Promise<Put> {
    const put = await this.#options.queue.put(lines);
    this.#options.count?.(source, put, records, bytes);
    return put;
  }
}

function recordsOf(entries: readonly Entry[], from: From): Records {
  const { length } = entries;
  const records = new Records({
    chunk: pushed(Buffer.alloc(0), from),
    spans: new Array(2 * length).fill(0),
    length: 0,
  });
  records.fields = entries.map(({ fields }) => fields);
  if (entries.some(({ time }) => time))
    records.times = {
      seconds: Float64Array.from(entries, ({ time }) => time?.seconds ?? Number.NaN),
      nanos: Uint32Array.from(entries, ({ time }) => time?.nanos ?? 0),
    };
  if (entries.some(({ level }) => level)) records.levels = Uint8Array.from(entries, ({ level }) => level ?? 0);
  if (entries.some(({ tag }) => tag !== undefined)) records.tags = entries.map(({ tag }) => tag);
  return records;
}

const nothing = () => undefined;

/** Bytes that lie in no file: who takes or acknowledges them changes nothing. */
function pushed(bytes: Buffer, { source, peer }: From, unfinished: Chunk['unfinished'] = 'line'): Chunk {
  return {
    path: peer === undefined ? source : `${source}:${peer}`,
    origin: '',
    offset: 0,
    bytes,
    unfinished,
    quiet: Number.POSITIVE_INFINITY,
    full: false,
    take: nothing,
    acknowledgement: () => nothing,
    release: nothing,
  };
}
