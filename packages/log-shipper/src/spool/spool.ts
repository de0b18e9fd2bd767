// The disk queue behind sources that push. What was put is safe from the end of this process; every sink reads it at its own
// pace, and a segment goes when all have passed it. Whatever state the files are in, it starts.
//
// What is called safe is in the page cache: `kill -9`, a crash or an eviction of the container takes none of it. A crash of
// the node or a power cut takes what was not yet synchronised: nothing with `sync: always`, at most the last 500 ms with
// `interval`, as much as the kernel had not written (about 30 s) with `never`.

import { pause, reasonOf } from '@outrigger/core';
import type { DropReason } from '../records.ts';
import type { Chunk } from '../source/source.ts';
import { type Damage, Quarantine } from './quarantine.ts';
import { QueueReader } from './reader.ts';
import { recover } from './recover.ts';
import { type Policy, Room } from './room.ts';
import type { Positions } from './segment.ts';
import { type Dropped, notice } from './settled.ts';
import { Store } from './store.ts';
import { type Put, type Sync, Writer } from './writer.ts';

export type SpoolEvent =
  | ({ readonly what: 'damaged' } & Damage)
  | ({ readonly what: 'dropped' } & Dropped)
  /** Nothing is taken for that reason; undefined: it is again. */
  | { readonly what: 'trouble'; readonly reason: string | undefined }
  /** One file that is left as it is. */
  | { readonly what: 'unusable'; readonly path: string; readonly reason: string };

export type SpoolOptions = {
  /** `<stateDirectory>/spool`. */
  readonly directory: string;
  readonly sinks: readonly string[];
  /** What `positions` of an earlier run said. */
  readonly positions?: Positions;
  /** Bytes of all files; at least four times what is put at once. */
  readonly limit: number;
  readonly policy?: Policy;
  /** With drop-by-level: the severityNumber below which lines go first. */
  readonly level?: number;
  readonly sync?: Sync;
  /** Milliseconds between two synchronisations with `interval`. */
  readonly syncInterval?: number;
  /** Field that holds the message of what the queue itself says. */
  readonly lineField?: string;
  readonly segmentSize?: number;
  /** Told of whatever a person should know. */
  readonly tell?: (event: SpoolEvent) => void;
  /** Positions have changed. */
  readonly moved?: () => void;
};

/** In bytes of lines, since this start: as the ledger has it of files, and `total = read + unread`. */
export type SpoolAccount = {
  /** What was there at the start, and what has been put since. */
  readonly total: number;
  readonly unread: number;
  /** Read, or passed because it was not there any more: `delivered + buffered + dead + dropped + skipped`. */
  readonly read: number;
  readonly acknowledged: number;
  readonly delivered: number;
  readonly buffered: number;
  readonly dead: number;
  readonly dropped: Partial<Readonly<Record<DropReason, number>>>;
  /** What was damaged. */
  readonly skipped: number;
  readonly skippedRecords: number;
};

const nothing = () => undefined;

export class Spool implements AsyncDisposable {
  readonly #store: Store;
  readonly #quarantine: Quarantine;
  readonly #writer: Writer;
  readonly #totals = new Map<string, number>();

  private constructor(store: Store, quarantine: Quarantine, options: SpoolOptions) {
    const { tell = nothing, policy = 'block', level = 9, lineField = 'log' } = options;
    this.#store = store;
    this.#quarantine = quarantine;
    const room = new Room({
      store,
      policy,
      level,
      limit: options.limit,
      close: () => this.#writer.close(),
      dropped: (dropped) => {
        this.#writer.note(notice(dropped, lineField));
        tell({ what: 'dropped', ...dropped });
      },
      trouble: (path, error) => tell({ what: 'unusable', path, reason: reasonOf(error) }),
    });
    this.#writer = new Writer({
      store,
      room,
      sync: options.sync ?? 'interval',
      syncInterval: options.syncInterval ?? 500,
      segmentSize: options.segmentSize ?? Math.min(0x1000000, Math.floor(options.limit / 4)),
      trouble: (reason) => tell({ what: 'trouble', reason }),
      put: (bytes) => this.#count(bytes),
    });
    for (const [sink, { read }] of store.cursors) this.#totals.set(sink, store.beyond(read));
  }

  static async open(options: SpoolOptions): Promise<Spool> {
    const { directory, tell = nothing, positions = {}, sinks, moved = nothing } = options;
    const quarantine = new Quarantine(directory, (damage) => tell({ what: 'damaged', ...damage }));
    const unreadable = (path: string, reason: string) => tell({ what: 'unusable', path, reason });
    const { segments, last } = await recover(directory, { quarantine, unreadable });
    const store = new Store({
      directory,
      segments,
      next: Math.max(last + 1, 1, ...Object.values(positions).map(({ segment }) => segment)),
      stuck: (path, error) => unreadable(path, reasonOf(error)),
      moved,
    });
    store.resume(sinks, positions);
    store.moved();
    return new Spool(store, quarantine, options);
  }

  #count(bytes: number): void {
    for (const [sink, total] of this.#totals) this.#totals.set(sink, total + bytes);
  }

  /** Settled lines, whole. They must not change until it resolves. */
  put(lines: Buffer): Promise<Put> {
    return this.#writer.put(lines);
  }

  /** Why nothing is taken at present, other than for want of room under the limit. */
  get trouble(): string | undefined {
    return this.#writer.trouble;
  }

  /** Of all files. */
  get bytes(): number {
    return this.#store.bytes;
  }

  /** Resolves when it makes sense to put again what found no room. */
  async room(signal?: AbortSignal): Promise<void> {
    const end = new AbortController();
    const signals = signal ? [signal, end.signal] : [end.signal];
    // A disk that was full says nothing when it is not any more.
    await Promise.race([this.#store.room, pause(1000, AbortSignal.any(signals))]);
    end.abort();
  }

  /** What there is for a sink, in order. Ends after `end`, when all has been read. */
  async *chunks(sink: string): AsyncGenerator<Chunk> {
    await using reader = this.reader(sink);
    for (;;) {
      // Taken before looking, so that no change falls between the two.
      const { change, ended } = this.#store;
      const chunk = await reader.next();
      if (chunk) yield chunk;
      else if (ended) return;
      else await change;
    }
  }

  /** One for each sink at a time. */
  reader(sink: string): QueueReader {
    const cursor = this.#store.cursors.get(sink);
    if (!cursor) throw new Error(`The disk queue does not know the sink ${sink}`);
    return new QueueReader(this.#store, cursor, this.#quarantine);
  }

  /** What the next start goes on from, as plain JSON. */
  positions(): Positions {
    return this.#store.positions();
  }

  account(sink: string): SpoolAccount | undefined {
    const cursor = this.#store.cursors.get(sink);
    if (!cursor) return undefined;
    const { read, acknowledged, oldest, level, damaged: skipped } = cursor.bytes;
    const passed = oldest + level + skipped;
    return {
      total: this.#totals.get(sink) ?? 0,
      unread: this.#store.beyond(cursor.read),
      read: read + passed,
      acknowledged: acknowledged + passed,
      delivered: cursor.delivered,
      buffered: read - acknowledged,
      dead: cursor.dead,
      dropped: cursor.dropped,
      skipped,
      skippedRecords: cursor.damagedRecords,
    };
  }

  /** Nothing will be put any more: what waits is still written, then readers come to their end. */
  async end(): Promise<void> {
    this.#store.ended = true;
    await this.#writer[Symbol.asyncDispose]();
    this.#store.changed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
