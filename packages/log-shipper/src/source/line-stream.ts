// A stream of bytes to lines in the queue, for all sources that are sent lines. It reads no more than it can put: what there
// is no room for stays with the sender.

import type { Readable } from 'node:stream';
import type { From, Intake } from '../intake.ts';
import type { Put } from '../spool/writer.ts';

const newline = 0x0a;

/** What unfinished lines of all streams of a source may hold together. A stream that has more is cut where it is. */
export class Unfinished {
  readonly limit: number;
  held = 0;

  constructor(limit = 0x1000000) {
    this.limit = limit;
  }
}

type Options = {
  readonly intake: Intake;
  readonly from: From;
  readonly unfinished: Unfinished;
  /** What is done when there is no room. */
  readonly whenFull: 'wait' | 'drop';
  /** From then on there is no waiting for room. */
  readonly signal: AbortSignal;
  /** Told when it begins and ends to wait for room. */
  readonly waiting?: (waits: boolean) => void;
};

export class LineStream {
  readonly #options: Options;
  /** The line that has not ended, in the pieces it came in: to join them for each would cost the square of its length. */
  #pieces: Buffer[] = [];
  #held = 0;
  /** Bytes that were received and given up. */
  lost = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Takes all that comes, to the end of the stream. Rejects as the stream does; what was received then is kept. */
  async read(stream: Readable): Promise<void> {
    try {
      for await (const bytes of stream) await this.add(bytes as Buffer);
    } finally {
      await this.end();
    }
  }

  async add(bytes: Buffer): Promise<void> {
    const end = bytes.lastIndexOf(newline) + 1;
    if (end > 0) await this.#put(this.#join(bytes.subarray(0, end)), 'line');
    if (end < bytes.length) this.#hold(end === 0 ? bytes : Buffer.from(bytes.subarray(end)));
    const { intake, unfinished } = this.#options;
    while (this.#held > intake.lineLimit || (this.#held > 0 && unfinished.held > unfinished.limit)) await this.#cut();
  }

  #hold(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#held += bytes.length;
    this.#options.unfinished.held += bytes.length;
  }

  #join(bytes?: Buffer): Buffer {
    const all = bytes ? [...this.#pieces, bytes] : this.#pieces;
    this.#options.unfinished.held -= this.#held;
    this.#pieces = [];
    this.#held = 0;
    return all.length === 1 ? all[0]! : Buffer.concat(all);
  }

  /** A line too long to be kept until it ends goes in pieces. */
  async #cut(): Promise<void> {
    const { lineLimit } = this.#options.intake;
    const all = this.#join();
    const cut = characterStart(all, Math.min(all.length, lineLimit));
    if (cut < all.length) this.#hold(all.subarray(cut));
    await this.#put(all.subarray(0, cut), 'part');
  }

  /** Nothing more is coming: a line without its newline is a line. */
  async end(): Promise<void> {
    if (this.#held > 0) await this.#put(this.#join(), 'line');
  }

  async #put(bytes: Buffer, last: 'line' | 'part'): Promise<void> {
    const { intake, from, whenFull, signal, waiting } = this.#options;
    let put: Put = await intake.lines(bytes, from, last);
    if (put === 'full' && whenFull === 'wait') {
      waiting?.(true);
      while (put === 'full' && !signal.aborted) {
        await intake.room(signal);
        put = await intake.lines(bytes, from, last);
      }
      waiting?.(false);
    }
    if (put === 'safe') return;
    this.lost += bytes.length;
    intake.dropped(from.source, countLines(bytes), bytes.length);
  }
}

/** Where to cut so that no UTF-8 sequence is torn: at most three bytes earlier. */
function characterStart(bytes: Buffer, cut: number): number {
  if (cut === bytes.length) {
    // Its beginning may be the last that has come.
    for (let at = cut - 1; at >= Math.max(1, cut - 3); at--) if (bytes[at]! >= 0xc0) return at;
    return cut;
  }
  for (let at = cut; at > cut - 4 && at > 0; at--) if ((bytes[at]! & 0xc0) !== 0x80) return at;
  return cut;
}

function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) count++;
  return Math.max(1, count);
}
