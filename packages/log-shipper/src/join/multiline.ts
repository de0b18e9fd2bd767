// Several lines that are one record, such as a stack trace: over lines, or over what a container's lines hold.
//
// That a record is complete is known when the next one of its stream begins. Until then it is not taken, so the last
// record of a file that rests waits for the time-out.

import { Found } from './found.ts';
import type { Stage } from './join.ts';
import { begins, type Language, perhaps, type State } from './language.ts';
import { Pieces, Tail } from './tail.ts';

/** @param most lines of one record. */
export const multiline =
  (language: Language, inner: Stage, most: number): Stage =>
  (chunk, limits, over) => {
    const lines = inner(chunk, limits, over);
    const gathering = new Gathering(lines, language, { ...limits, most });
    for (let index = 0; index < lines.count; index++) gathering.line(index);
    return gathering.end(over);
  };

type Group = {
  readonly stream: number;
  readonly start: number;
  readonly seconds: number;
  readonly nanos: number;
  /** When its last line was written, in milliseconds. */
  latest: number;
  stop: number;
  state: State;
  lines: number;
  readonly pieces: Pieces;
  /** Lines that belong to it only if one does that follows them. */
  doubtful: number[];
};

const none = -1;

class Gathering {
  readonly #lines: Found;
  readonly #found: Found;
  readonly #tail: Tail;
  readonly #language: Language;
  readonly #limits: { readonly record: number; readonly timeout: number; readonly most: number };
  readonly #groups: Group[] = [];
  /** The line that is all of the only record under way so far; then there are no groups. */
  #first = none;
  #firstState: State = 0;

  constructor(lines: Found, language: Language, limits: { record: number; timeout: number; most: number }) {
    this.#lines = lines;
    this.#found = new Found(lines.bytes, { enveloped: lines.enveloped });
    this.#tail = new Tail(lines.bytes);
    this.#language = language;
    this.#limits = limits;
  }

  line(index: number): void {
    const stream = this.#lines.streams[index]!;
    // What is a piece of a line, or none at all, is nobody's first line and nobody's next.
    const odd = this.#lines.partial.has(index) || this.#lines.errors.has(index);
    if (this.#first !== none) {
      if (!odd && this.#isNext(index, stream)) return;
      this.#promote();
    }
    if (!odd && this.#groups.length === 0) this.#begin(index);
    else this.#among(index, stream, odd);
  }

  /** Nearly all records are of one line: as long as that is all there is, it costs no object. */
  #begin(index: number): void {
    const { spans, bytes } = this.#lines;
    this.#first = index;
    this.#firstState = this.#language.begin(bytes, spans[2 * index]!, spans[2 * index + 1]!);
  }

  /** Whether the line of a single one is the beginning of the next record. */
  #isNext(index: number, stream: number): boolean {
    const { spans, bytes, streams } = this.#lines;
    if (streams[this.#first] !== stream) return false;
    if (this.#language.next(this.#firstState, bytes, spans[2 * index]!, spans[2 * index + 1]!) !== begins) return false;
    this.#pass(this.#first);
    this.#begin(index);
    return true;
  }

  #among(index: number, stream: number, odd: boolean): void {
    if (this.#groups.length > 0) this.#expire(index, stream);
    const group = this.#groups.find((group) => group.stream === stream);
    if (odd) {
      if (group) this.#finish(group);
      this.#pass(index);
    } else if (group) this.#follow(group, index);
    else {
      this.#begin(index);
      this.#promote();
    }
  }

  /** It is more than a line by itself, or not the only one that is under way. */
  #promote(): void {
    if (this.#first === none) return;
    this.#open(this.#first, this.#firstState);
    this.#first = none;
  }

  #open(index: number, state: State): void {
    const { spans, starts, stops, streams, seconds, nanos } = this.#lines;
    const [from, to] = [spans[2 * index]!, spans[2 * index + 1]!];
    const pieces = new Pieces({ lines: true });
    pieces.add(from, to, this.#tail);
    this.#groups.push({
      ...{ stream: streams[index]!, start: starts[index]!, stop: stops[index]!, pieces, lines: 1, doubtful: [] },
      ...{ seconds: seconds[index]!, nanos: nanos[index]!, latest: this.#writtenAt(index) },
      state,
    });
  }

  #follow(group: Group, index: number): void {
    const { spans, bytes } = this.#lines;
    const [from, to] = [spans[2 * index]!, spans[2 * index + 1]!];
    const state = this.#language.next(group.state, bytes, from, to);
    if (state === begins) {
      this.#conclude(group);
      this.line(index);
      return;
    }
    group.latest = this.#writtenAt(index);
    if (state >= perhaps) {
      group.state = state - perhaps;
      group.doubtful.push(index);
      return;
    }
    group.state = state;
    const confirmed = group.doubtful.concat(index);
    group.doubtful = [];
    this.#take(group, confirmed);
  }

  #take(group: Group, indices: readonly number[]): void {
    const { spans, stops } = this.#lines;
    for (const [at, index] of indices.entries()) {
      const [from, to] = [spans[2 * index]!, spans[2 * index + 1]!];
      if (group.lines >= this.#limits.most || group.pieces.size + 1 + to - from > this.#limits.record) {
        this.#close(group, true);
        for (const rest of indices.slice(at)) this.line(rest);
        return;
      }
      group.pieces.add(from, to, this.#tail);
      group.stop = stops[index]!;
      group.lines++;
    }
  }

  /** What is doubtful is left to whoever closes it. */
  #close(group: Group, partial = false): void {
    this.#groups.splice(this.#groups.indexOf(group), 1);
    const found = this.#found;
    if (partial) found.partial.add(found.count);
    const { start, stop } = group;
    found.put({ ...group.pieces.join(this.#tail), start, stop }, group);
  }

  #pass(index: number): void {
    const { spans, starts, stops, streams, seconds, nanos, errors, partial } = this.#lines;
    const found = this.#found;
    const error = errors.get(index);
    if (error !== undefined) found.errors.set(found.count, error);
    if (partial.has(index)) found.partial.add(found.count);
    const place = { from: spans[2 * index]!, to: spans[2 * index + 1]!, start: starts[index]!, stop: stops[index]! };
    found.put(place, { stream: streams[index]!, seconds: seconds[index]!, nanos: nanos[index]! });
  }

  /** Time goes on with the other stream too: otherwise a busy one would wait for a silent one until the window is full. */
  #expire(index: number, stream: number): void {
    const now = this.#writtenAt(index);
    // What began earlier, and has only been completed now, may be acknowledged by itself: a restart must come to the same.
    const begun = this.#lines.starts[index]!;
    const isLate = ({ stream: its, start, latest }: Group) =>
      its !== stream && begun > start && now - latest >= this.#limits.timeout;
    for (let late = this.#groups.find(isLate); late; late = this.#groups.find(isLate)) this.#conclude(late);
  }

  #writtenAt(index: number): number {
    const { seconds, nanos } = this.#lines;
    return seconds[index]! * 1000 + nanos[index]! / 1e6;
  }

  /** What is doubtful does not belong to it, and begins another. */
  #conclude(group: Group): void {
    this.#close(group);
    for (const line of group.doubtful) this.line(line);
    this.#promote();
  }

  /** Nothing more of its stream is waited for. */
  #finish(group: Group): void {
    const { stream } = group;
    for (let open: Group | undefined = group; open; open = this.#groups.find((group) => group.stream === stream))
      this.#conclude(open);
  }

  end(over: boolean): Found {
    const found = this.#found;
    found.held = this.#lines.held;
    // Lines of two streams may be in any order among each other.
    found.mixed = this.#lines.mixed || found.enveloped;
    this.#promote();
    if (over) while (this.#groups.length > 0) this.#finish(this.#groups[0]!);
    for (const { start } of this.#groups) found.held = Math.min(found.held, start);
    found.bytes = this.#tail.whole();
    this.#lines.close();
    return found;
  }
}
