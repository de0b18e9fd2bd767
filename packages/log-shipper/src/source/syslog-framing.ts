// Syslog messages out of a stream, RFC 6587. Which of the two framings a message has is seen by its first bytes: a count of
// octets comes before the `<` with which all messages begin, anything else ends with a newline. Senders mix them, and cut and
// merge them as they like.

import type { From, Intake } from '../intake.ts';
import type { Put } from '../spool/writer.ts';
import type { TakeOptions, Taker } from './line-server.ts';

const newline = 0x0a;
const space = 0x20;
const bracket = 0x3c;
/** A count has no leading zero, and no message as many digits as this has bytes. */
const longestCount = 8;

/** What is put at once. */
const batch = 0x40000;

type Options = TakeOptions & { readonly intake: Intake; readonly from: From };

export class SyslogStream implements Taker {
  readonly #options: Options;
  #pieces: Buffer[] = [];
  #held = 0;
  /** Octets that the message at the beginning needs; undefined while that is not known. */
  #needed: number | undefined;
  /** Octets of a message that is too long to be kept until it is whole, which are still to come. */
  #rest = 0;
  /** What comes next belongs to a message that ends with a newline. */
  #within = false;
  #messages: Buffer[] = [];
  /** Indices of those that go on in the next. */
  #partial: number[] = [];
  #size = 0;
  lost = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  async add(bytes: Buffer): Promise<void> {
    this.#hold(bytes);
    // To join what has come with each piece of a long message would cost the square of its length.
    if (this.#held < (this.#needed ?? 0) || (this.#needed === undefined && !this.#ends(bytes))) return;
    const all = this.#join();
    const at = await this.#messagesIn(all);
    if (at < all.length) this.#hold(at === 0 ? all : Buffer.from(all.subarray(at)));
    await this.#put();
  }

  /** Returns where the first begins that is not whole. */
  async #messagesIn(all: Buffer): Promise<number> {
    let at = 0;
    while (at < all.length) {
      const next = this.#message(all, at);
      if (next === undefined) break;
      at = next;
      if (this.#size >= batch) await this.#put();
    }
    return at;
  }

  /** Whether something may be complete, or is too long to wait for. */
  #ends(bytes: Buffer): boolean {
    const { intake, unfinished } = this.#options;
    const first = this.#pieces[0]![0]!;
    return (
      isDigit(first) || bytes.includes(newline) || this.#held > intake.lineLimit || unfinished.held > unfinished.limit
    );
  }

  /** Takes the message that begins there. Returns where the next one does; undefined when it has not come whole. */
  #message(all: Buffer, at: number): number | undefined {
    this.#needed = undefined;
    if (this.#rest > 0) return this.#part(all, { at, start: at, length: this.#rest });
    if (this.#within) return this.#ended(all, at);
    const first = all[at]!;
    if (first === newline) return at + 1;
    return first >= 0x31 && first <= 0x39 ? this.#counted(all, at) : this.#ended(all, at);
  }

  #counted(all: Buffer, at: number): number | undefined {
    let start = at;
    while (start < all.length && start - at <= longestCount && isDigit(all[start]!)) start++;
    const digits = start - at;
    if (digits <= longestCount && start + 1 >= all.length && (all[start] ?? space) === space) return undefined;
    // A line that begins with a digit, and no count.
    if (digits > longestCount || all[start] !== space || all[start + 1] !== bracket) return this.#ended(all, at);
    return this.#part(all, { at, start: start + 1, length: Number(all.toString('latin1', at, start)) });
  }

  /** So many octets of a message. One that is too long goes in pieces. */
  #part(all: Buffer, { at, start, length }: { at: number; start: number; length: number }): number | undefined {
    const piece = Math.min(length, this.#options.intake.lineLimit);
    if (all.length - start < piece && !this.#over) {
      this.#needed = start - at + piece;
      return undefined;
    }
    const end = Math.min(start + piece, all.length);
    this.#rest = length - (end - start);
    this.#take(all.subarray(start, end), this.#rest > 0);
    return end;
  }

  get #over(): boolean {
    const { unfinished } = this.#options;
    return unfinished.held + this.#held > unfinished.limit;
  }

  #ended(all: Buffer, at: number): number | undefined {
    const { lineLimit } = this.#options.intake;
    const end = all.indexOf(newline, at);
    const length = (end === -1 ? all.length : end) - at;
    if (end === -1 && length <= lineLimit && !this.#over) return undefined;
    // One beyond the limit goes in pieces, of which only the first has a head.
    this.#within = length > lineLimit || end === -1;
    const stop = at + Math.min(length, lineLimit);
    this.#take(all.subarray(at, stop), this.#within);
    return this.#within ? stop : stop + 1;
  }

  #take(message: Buffer, partial = false): void {
    const taken = partial ? message : trimEnd(message);
    if (taken.length === 0) return;
    if (partial) this.#partial.push(this.#messages.length);
    this.#messages.push(taken);
    this.#size += taken.length;
  }

  #hold(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#held += bytes.length;
    this.#options.unfinished.held += bytes.length;
  }

  #join(): Buffer {
    const all = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    this.#options.unfinished.held -= this.#held;
    this.#pieces = [];
    this.#held = 0;
    return all;
  }

  async #put(): Promise<void> {
    if (this.#messages.length === 0) return;
    const { intake, from, signal, waiting } = this.#options;
    const [messages, size, partial] = [this.#messages, this.#size, this.#partial];
    this.#messages = [];
    this.#partial = [];
    this.#size = 0;
    let put: Put = await intake.messages(messages, from, partial);
    if (put === 'full') {
      waiting(true);
      while (put === 'full' && !signal.aborted) {
        await intake.room(signal);
        put = await intake.messages(messages, from, partial);
      }
      waiting(false);
    }
    if (put === 'safe') return;
    this.lost += size;
    intake.dropped(from.source, messages.length, size);
  }

  /** What is left is a message that was cut off, or one without its newline. */
  async end(): Promise<void> {
    if (this.#held > 0) {
      const all = this.#join();
      const rest = all.subarray(await this.#messagesIn(all));
      const counted = /^[1-9]\d{0,7} (?=<)/.exec(rest.toString('latin1', 0, longestCount + 2))?.[0].length ?? 0;
      this.#take(rest.subarray(counted));
    }
    await this.#put();
  }
}

const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39;

/** Senders end messages with CR, LF and NUL, also those they counted. */
export function trimEnd(message: Buffer): Buffer {
  let end = message.length;
  while (end > 0 && [0x0d, 0x0a, 0].includes(message[end - 1]!)) end--;
  return message.subarray(0, end);
}
