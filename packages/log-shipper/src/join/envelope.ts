// Lines of container runtimes: each has its stream and its time, and long ones come in several pieces, while pieces of
// the other stream may come between.

import type { Moment } from '../time/time.ts';
import { Found } from './found.ts';
import { type Limits, type Source, type Stage, Stream } from './join.ts';
import { Pieces, Tail } from './tail.ts';

/** What is in the envelope of one line; written again and again. */
export type Content = Moment & {
  stream: Stream;
  /** Whether the line ends here. */
  last: boolean;
  from: number;
  to: number;
};

/** Opens the envelope of one line. False for a line that has none. */
export type Open = (bytes: Buffer, start: number, end: number, into: Content, tail: Tail) => boolean;

type Chain = {
  readonly start: number;
  stop: number;
  readonly pieces: Pieces;
  readonly stream: Stream;
  readonly seconds: number;
  readonly nanos: number;
  /** When its last piece was written. */
  latest: number;
};

/** Opens many that are whole lines of themselves, from a place on. Returns where the first begins that was not opened. */
export type OpenMany = (bytes: Buffer, start: number, limit: number, into: Found) => number;

/** @param what a line of this kind, for the reason why another stays as it is. */
export const envelopes =
  (open: Open, what: string, openMany?: OpenMany): Stage =>
  (chunk, limits, over) => {
    const reading = new Reading(chunk, limits, what);
    const { bytes, unfinished } = chunk;
    let start = 0;
    for (;;) {
      if (openMany) start = reading.lines(openMany, start);
      const end = bytes.indexOf(0x0a, start);
      if (end === -1) break;
      reading.line(open, start, end);
      start = end + 1;
    }
    if (start < bytes.length && unfinished !== 'held') {
      reading.lastLine(open, start, unfinished === 'part');
      start = bytes.length;
    }
    return reading.end(start, over);
  };

type Line = { readonly start: number; readonly end: number; readonly stop: number; readonly cut?: boolean };

// Opening many has a price of its own, which few do not pay.
const worthwhile = 0x800;
const alone = 64;

class Reading {
  readonly #found: Found;
  readonly #tail: Tail;
  readonly #bytes: Buffer;
  readonly #limits: Limits;
  readonly #what: string;
  readonly #chains: Chain[] = [];
  /** How many lines are to be opened one by one before many are tried again. */
  #alone = 0;
  readonly #content: Content = { stream: Stream.unknown, last: true, from: 0, to: 0, seconds: 0, nanos: 0 };

  constructor({ bytes }: Source, limits: Limits, what: string) {
    this.#found = new Found(bytes, { enveloped: true });
    this.#tail = new Tail(bytes);
    this.#bytes = bytes;
    this.#limits = limits;
    this.#what = what;
  }

  lines(openMany: OpenMany, start: number): number {
    if (this.#chains.length > 0 || this.#alone-- > 0) return start;
    const next = openMany(this.#bytes, start, this.#limits.record, this.#found);
    if (next - start < worthwhile) this.#alone = alone;
    return next;
  }

  /** Nearly all lines are whole ones, and nothing is under way: these cost no object, and nothing of them is copied. */
  line(open: Open, start: number, end: number): void {
    const content = this.#content;
    content.seconds = Number.NaN;
    if (!open(this.#bytes, start, end, content, this.#tail)) this.#misfit({ start, end, stop: end + 1 });
    else if (this.#chains.length > 0) this.#among({ start, end, stop: end + 1 });
    else if (content.last && content.to - content.from <= this.#limits.record) this.#whole(start, end + 1);
    else this.#first({ start, end, stop: end + 1 });
  }

  lastLine(open: Open, start: number, cut: boolean): void {
    const line = { start, end: this.#bytes.length, stop: this.#bytes.length, cut };
    const content = this.#content;
    content.seconds = Number.NaN;
    if (!open(this.#bytes, start, line.end, content, this.#tail)) this.#misfit(line);
    else {
      if (cut) content.last = false;
      if (this.#chains.length > 0) this.#among(line);
      else this.#first(line);
    }
  }

  #whole(start: number, stop: number): void {
    const { from, to } = this.#content;
    this.#found.put({ from, to, start, stop }, this.#content);
  }

  /** Nothing is under way in its stream. */
  #first(line: Line): void {
    const { last, from, to } = this.#content;
    if (to - from > this.#limits.record) this.#cut(line);
    else if (last) this.#whole(line.start, line.stop);
    else this.#begin(line);
  }

  #among(line: Line): void {
    const { stream, last, from, to, seconds, nanos } = this.#content;
    this.#expire();
    const chain = this.#chains.find((chain) => chain.stream === stream);
    if (chain && chain.pieces.size + to - from <= this.#limits.record) {
      chain.pieces.add(from, to, this.#tail);
      chain.stop = line.stop;
      chain.latest = seconds * 1000 + nanos / 1e6;
      if (last) this.#close(chain, false);
      return;
    }
    if (chain) this.#close(chain, true);
    if (this.#chains.length > 0) this.#found.mixed = true;
    this.#first(line);
  }

  #begin({ start, stop }: Line): void {
    const { stream, from, to, seconds, nanos } = this.#content;
    const pieces = new Pieces({ lines: false });
    pieces.add(from, to, this.#tail);
    this.#chains.push({ start, stop, pieces, stream, seconds, nanos, latest: seconds * 1000 + nanos / 1e6 });
  }

  /** One that is too long by itself, at once and to its end, so that none of it has to wait. */
  #cut({ start, stop }: Line): void {
    const { last, from: first, to } = this.#content;
    this.#found.mixed = true;
    for (let from = first, cut = 0; from < to; from = cut) {
      cut = this.#pieceEnd(from, to);
      if (cut < to || !last) this.#found.partial.add(this.#found.count);
      // A place of its own within the line: pieces that hold the same are not the same record.
      const place = { from, to: cut, start: Math.min(start + from - first, stop - 1), stop };
      this.#found.put(place, this.#content);
    }
  }

  /** So that no UTF-8 sequence is torn. */
  #pieceEnd(from: number, to: number): number {
    const most = from + this.#limits.record;
    if (most >= to) return to;
    for (let at = most; at > most - 4 && at > from; at--) if ((this.#tail.at(at)! & 0xc0) !== 0x80) return at;
    return most;
  }

  #close(chain: Chain, partial: boolean): void {
    this.#chains.splice(this.#chains.indexOf(chain), 1);
    if (partial) this.#found.partial.add(this.#found.count);
    if (this.#chains.length > 0) this.#found.mixed = true;
    const { start, stop } = chain;
    this.#found.put({ ...chain.pieces.join(this.#tail), start, stop }, chain);
  }

  /** Time goes on with the other stream too: otherwise a busy one would wait for a silent one until the window is full. */
  #expire(): void {
    const { stream, seconds, nanos } = this.#content;
    const now = seconds * 1000 + nanos / 1e6;
    for (const chain of [...this.#chains])
      if (chain.stream !== stream && now - chain.latest >= this.#limits.timeout) this.#close(chain, true);
  }

  /** It is shipped as it is, whatever is under way: it may be the rest of a line that was too long for the window. */
  #misfit({ start, end, stop, cut }: Line): void {
    if (this.#chains.length > 0) this.#found.mixed = true;
    let from = start;
    while (end - from > this.#limits.record) {
      const to = this.#pieceEnd(from, end);
      this.#found.partial.add(this.#found.count);
      this.#refuse({ from, to, start: from, stop: to });
      from = to;
    }
    if (cut) this.#found.partial.add(this.#found.count);
    this.#refuse({ from, to: end, start: from, stop });
  }

  #refuse(place: { from: number; to: number; start: number; stop: number }): void {
    this.#found.errors.set(this.#found.count, `Not a line of ${this.#what}`);
    this.#found.put(place, { stream: Stream.unknown, seconds: Number.NaN, nanos: 0 });
  }

  end(length: number, over: boolean): Found {
    const found = this.#found;
    found.held = length;
    for (const chain of [...this.#chains])
      if (over) this.#close(chain, true);
      else found.held = Math.min(found.held, chain.start);
    found.bytes = this.#tail.whole();
    return found;
  }
}
