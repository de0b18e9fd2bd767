// What the stages of a join have found, and how it becomes records that can be acknowledged one after the other.

import type { Joined, Stream } from './join.ts';

export type Place = {
  /** Where its bytes lie. */
  readonly from: number;
  readonly to: number;
  /** Where its source is in the chunk. */
  readonly start: number;
  readonly stop: number;
};

export class Found {
  bytes: Buffer;
  readonly spans: number[] = [];
  readonly starts: number[] = [];
  readonly stops: number[] = [];
  readonly partial = new Set<number>();
  readonly errors = new Map<number, string>();
  /** These only where lines have an envelope that says them. */
  readonly streams: (Stream | undefined)[] | undefined;
  seconds = new Float64Array(0);
  nanos = new Uint32Array(0);
  /** Where what is not complete begins: nothing from there on is taken. */
  held: number;
  /** Whether a record may lie within another, or before one that begins earlier. */
  mixed = false;

  constructor(bytes: Buffer, { enveloped }: { enveloped: boolean }) {
    this.bytes = bytes;
    this.held = bytes.length;
    this.streams = enveloped ? [] : undefined;
  }

  get count(): number {
    return this.starts.length;
  }

  put(from: number, to: number, start: number, stop: number): void {
    this.spans.push(from, to);
    this.starts.push(start);
    this.stops.push(stop);
  }

  /** What the envelope of the one that was put last says; NaN for a time that is not known. */
  mark(stream: Stream | undefined, seconds: number, nanos: number): void {
    if (!this.streams) return;
    const at = this.streams.push(stream) - 1;
    if (at >= this.seconds.length) this.#grow();
    this.seconds[at] = seconds;
    this.nanos[at] = nanos;
  }

  /** Numbers in lists would be boxed and copied once more. */
  #grow(): void {
    const length = Math.max(64, 2 * this.seconds.length);
    const { seconds, nanos } = this;
    this.seconds = new Float64Array(length);
    this.nanos = new Uint32Array(length);
    this.seconds.set(seconds);
    this.nanos.set(nanos);
  }

  addOf({ from, to, start, stop }: Place, stream: Stream | undefined, seconds: number, nanos: number): void {
    this.put(from, to, start, stop);
    this.mark(stream, seconds, nanos);
  }
}

export function settle(found: Found): Joined {
  const { bytes, held, mixed } = found;
  if (mixed || found.stops.at(-1)! > held) return untangle(found);
  const { spans, partial, errors, streams } = found;
  const all = { bytes, spans, ends: found.stops, length: held, partial, errors };
  if (!streams) return all;
  const { count } = found;
  return {
    ...all,
    streams,
    times: { seconds: found.seconds.subarray(0, count), nanos: found.nanos.subarray(0, count) },
  };
}

/**
 * In the order in which they end. What overlaps with something that is held is held too. Of what overlaps, only the last
 * takes bytes: otherwise a restart after some of them were acknowledged would begin in the middle of another.
 */
function untangle(found: Found): Joined {
  const { starts, stops } = found;
  const order = stops.map((_, index) => index).sort((a, b) => stops[a]! - stops[b]! || a - b);
  let { held } = found;
  const ends: number[] = new Array(order.length);
  let kept = order.length;
  // From the last to the first, so that each time all are known that end later.
  for (let at = order.length - 1; at >= 0; at--)
    if (stops[order[at]!]! > held) [held, kept] = [Math.min(held, starts[order[at]!]!), at];
  let low = held;
  for (let at = kept - 1; at >= 0; at--) {
    ends[at] = stops[order[at]!]! <= low ? low : -1;
    low = Math.min(low, starts[order[at]!]!);
  }
  for (let at = 0; at < kept; at++) if (ends[at] === -1) ends[at] = at === 0 ? 0 : ends[at - 1]!;
  return pick(found, order.slice(0, kept), { ends: ends.slice(0, kept), length: held });
}

function pick(found: Found, order: readonly number[], taken: Pick<Joined, 'ends' | 'length'>): Joined {
  const { bytes, spans, starts, streams } = found;
  const partial = new Set<number>();
  const errors = new Map<number, string>();
  order.forEach((from, to) => {
    if (found.partial.has(from)) partial.add(to);
    const error = found.errors.get(from);
    if (error !== undefined) errors.set(to, error);
  });
  const all = {
    ...{ bytes, partial, errors, ...taken },
    spans: order.flatMap((index) => [spans[2 * index]!, spans[2 * index + 1]!]),
    starts: order.map((index) => starts[index]!),
  };
  if (!streams) return all;
  const seconds = Float64Array.from(order, (index) => found.seconds[index]!);
  const nanos = Uint32Array.from(order, (index) => found.nanos[index]!);
  return { ...all, streams: order.map((index) => streams[index]), times: { seconds, nanos } };
}
