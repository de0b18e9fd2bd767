// What the stages of a join have found, and how it becomes records that can be acknowledged one after the other.

import type { Kernel } from '../transcode/kernel.ts';
import type { Joined } from './join.ts';

export type Place = {
  /** Where its bytes lie. */
  readonly from: number;
  readonly to: number;
  /** Where its source is in the chunk. */
  readonly start: number;
  readonly stop: number;
};

/** What the envelope of a line says: one of Stream's, and a time; `seconds` is NaN where it says none. */
export type Said = { readonly stream: number; readonly seconds: number; readonly nanos: number };

/** Columns, used again and again: as lists of a chunk each they would be most of the memory that a busy sink takes. */
class Room {
  readonly size: number;
  readonly spans: Uint32Array;
  readonly starts: Uint32Array;
  readonly stops: Uint32Array;
  readonly streams: Uint8Array;
  readonly seconds: Float64Array;
  readonly nanos: Uint32Array;

  constructor(size: number) {
    this.size = size;
    this.spans = new Uint32Array(2 * size);
    this.starts = new Uint32Array(size);
    this.stops = new Uint32Array(size);
    this.streams = new Uint8Array(size);
    this.seconds = new Float64Array(size);
    this.nanos = new Uint32Array(size);
  }

  /** The first ones of others, from a place on. */
  set(at: number, count: number, others: Kernel['columns'] | Room): void {
    this.spans.set(others.spans.subarray(0, 2 * count), 2 * at);
    for (const name of columns) this[name].set(others[name].subarray(0, count), at);
  }
}

const columns = ['starts', 'stops', 'streams', 'seconds', 'nanos'] as const;

const smallest = 0x400;
const spare: Room[] = [];
/** What is kept for the next chunks, and not where lines are very short. */
const most = { rooms: 8, size: 0x8000 };

export class Found {
  bytes: Buffer;
  readonly partial = new Set<number>();
  readonly errors = new Map<number, string>();
  /** Whether lines have an envelope, which says stream and time. */
  readonly enveloped: boolean;
  /** Where what is not complete begins: nothing from there on is taken. */
  held: number;
  /** Whether a record may lie within another, or before one that begins earlier. */
  mixed = false;
  count = 0;
  #room = spare.pop() ?? new Room(smallest);

  constructor(bytes: Buffer, { enveloped }: { enveloped: boolean }) {
    this.bytes = bytes;
    this.held = bytes.length;
    this.enveloped = enveloped;
  }

  /** Start and end of each, in pairs. */
  get spans(): Uint32Array {
    return this.#room.spans;
  }

  get starts(): Uint32Array {
    return this.#room.starts;
  }

  get stops(): Uint32Array {
    return this.#room.stops;
  }

  /** These only where there is an envelope. */
  get streams(): Uint8Array {
    return this.#room.streams;
  }

  get seconds(): Float64Array {
    return this.#room.seconds;
  }

  get nanos(): Uint32Array {
    return this.#room.nanos;
  }

  /** Makes room for some more. */
  reserve(more: number): void {
    if (this.count + more <= this.#room.size) return;
    const larger = new Room(Math.max(2 * this.#room.size, this.count + more));
    larger.set(0, this.count, this.#room);
    this.#room = larger;
  }

  put({ from, to, start, stop }: Place, { stream, seconds, nanos }: Said): void {
    this.reserve(1);
    const room = this.#room;
    const at = this.count++;
    room.spans[2 * at] = from;
    room.spans[2 * at + 1] = to;
    room.starts[at] = start;
    room.stops[at] = stop;
    room.streams[at] = stream;
    room.seconds[at] = seconds;
    room.nanos[at] = nanos;
  }

  /** So many as the kernel has unwrapped. */
  putMany(count: number, kernel: Kernel): void {
    this.reserve(count);
    this.#room.set(this.count, count, kernel.columns);
    this.count += count;
  }

  /** Nobody looks at it any more. */
  close(): void {
    if (spare.length < most.rooms && this.#room.size <= most.size) spare.push(this.#room);
  }
}

export function settle(found: Found): Joined {
  const { count, held, mixed, stops } = found;
  if (!mixed && (count === 0 || stops[count - 1]! <= held)) return inOrder(found);
  const joined = untangle(found);
  found.close();
  return joined;
}

function inOrder(found: Found): Joined {
  const { bytes, held, partial, errors, count } = found;
  return {
    ...{ bytes, length: held, partial, errors, free: () => found.close() },
    spans: found.spans.subarray(0, 2 * count),
    ends: found.stops.subarray(0, count),
    ...(found.enveloped && {
      streams: found.streams.subarray(0, count),
      times: { seconds: found.seconds.subarray(0, count), nanos: found.nanos.subarray(0, count) },
    }),
  };
}

/**
 * In the order in which they end. What overlaps with something that is held is held too. Of what overlaps, only the last
 * takes bytes: otherwise a restart after some of them were acknowledged would begin in the middle of another.
 */
function untangle(found: Found): Joined {
  const { starts, stops } = found;
  const order = Array.from({ length: found.count }, (_, index) => index);
  order.sort((a, b) => stops[a]! - stops[b]! || a - b);
  let { held } = found;
  const ends = new Uint32Array(order.length);
  let kept = order.length;
  // From the last to the first, so that each time all are known that end later.
  for (let at = order.length - 1; at >= 0; at--)
    if (stops[order[at]!]! > held) [held, kept] = [Math.min(held, starts[order[at]!]!), at];
  let low = held;
  for (let at = kept - 1; at >= 0; at--) {
    ends[at] = stops[order[at]!]! <= low ? low : none;
    low = Math.min(low, starts[order[at]!]!);
  }
  for (let at = 0; at < kept; at++) if (ends[at] === none) ends[at] = at === 0 ? 0 : ends[at - 1]!;
  return pick(found, order.slice(0, kept), { ends: ends.slice(0, kept), length: held });
}

/** No place in a chunk. */
const none = 0xffffffff;

function pick(found: Found, order: readonly number[], taken: Pick<Joined, 'ends' | 'length'>): Joined {
  const { bytes, spans, starts, streams, seconds, nanos } = found;
  const partial = new Set<number>();
  const errors = new Map<number, string>();
  order.forEach((from, to) => {
    if (found.partial.has(from)) partial.add(to);
    const error = found.errors.get(from);
    if (error !== undefined) errors.set(to, error);
  });
  return {
    ...{ bytes, partial, errors, ...taken },
    spans: Uint32Array.from({ length: 2 * order.length }, (_, at) => spans[2 * order[at >> 1]! + (at & 1)]!),
    starts: Uint32Array.from(order, (index) => starts[index]!),
    ...(found.enveloped && {
      streams: Uint8Array.from(order, (index) => streams[index]!),
      times: {
        seconds: Float64Array.from(order, (index) => seconds[index]!),
        nanos: Uint32Array.from(order, (index) => nanos[index]!),
      },
    }),
  };
}
