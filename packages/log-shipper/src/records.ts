// The records of one chunk: a structure of arrays, so that a line costs no object. The stages change them in place, in order:
// frame, parse, transform, route, encode.

import type { Chunk } from './source/source.ts';
import type { Sought } from './transcode/sought.ts';

/** As JSON would hold them; a number that a double cannot hold is a JSON.rawJSON. */
export type Fields = Readonly<Record<string, unknown>>;

/** Seconds since the epoch, and nanoseconds below one second. */
export type Instant = { readonly seconds: number; readonly nanos: number };

/** Times of records by index; `seconds` is NaN where there is none. */
export type Times = { readonly seconds: Float64Array; readonly nanos: Uint32Array };

/** Why a record goes nowhere, as far as a sink is concerned. */
export const dropReasons = ['filter', 'sample', 'rate', 'duplicate', 'route', 'level', 'oldest'] as const;
export type DropReason = (typeof dropReasons)[number];

export type Spans = readonly number[] | Uint32Array;

/** What framing has found. */
export type Framed = {
  readonly chunk: Chunk;
  /** What the spans lie in: the chunk's bytes, or a buffer of their own where lines were unwrapped or joined. */
  readonly bytes?: Buffer;
  /** Start and end of each line, in pairs and without its newline. */
  readonly spans: Spans;
  /** Where the source of each record ends in the chunk, newline included. Absent where each ends where the next begins. */
  readonly ends?: Spans | undefined;
  /** Where the source of each record begins. Absent where each begins where the one before it ends. */
  readonly starts?: Spans | undefined;
  /** How many bytes of the chunk all of them take. */
  readonly length: number;
  /** Called once nobody looks at any of these any more: what they lie in may be used again. */
  readonly free?: (() => void) | undefined;
};

export class Records {
  readonly chunk: Chunk;
  readonly bytes: Buffer;
  readonly spans: Spans;
  readonly ends: Spans | undefined;
  readonly starts: Spans | undefined;
  readonly length: number;
  /**
   * What a line is. `text`: the record itself, under `lineField`. `json`: one JSON object, which nobody has looked at yet:
   * whoever encodes it finds out, and one that is none goes as text with parse_error.
   */
  format: 'text' | 'json' = 'text';
  /** The fields of each record, once somebody had to see them; undefined where the line itself is the record. */
  fields: (Fields | undefined)[] | undefined;
  /** What single records have beside their fields, by index. */
  readonly own = new Map<number, Fields>();
  /** What all of them have beside their fields; wins over what was found. */
  common: Fields = {};
  /** The field that holds a line which is its own record. */
  lineField = 'log';
  /** Lines that were changed, by index: they stand for their spans. */
  replaced: Map<number, Buffer> | undefined;
  times: Times | undefined;
  /** OTLP's severityNumber, 1 to 24; 0 where it is unknown. */
  levels: Uint8Array | undefined;
  /** By which receivers may route, by index; undefined where it is the sink's to say. */
  tags: (string | undefined)[] | undefined;
  /** When they were read, in milliseconds since the epoch: the time of a record that has none. */
  readonly readAt = Date.now();
  /** The ids that they had when they were sent before, by index; letters, digits, - and _. */
  uids: readonly string[] | undefined;
  /** How many lines the parser could not read. */
  failures = 0;
  /** How many are pieces of lines that were too long. */
  pieces = 0;
  /** How many lines had bytes that are not UTF-8, which are shipped as U+FFFD. Known once they are encoded. */
  repaired = 0;
  /** What is wanted of lines that stay bytes; whoever encodes them fills in `times` and `levels`. */
  sought: Sought | undefined;
  #plain: Set<number> | undefined;
  #drops: Uint8Array | undefined;
  #free: (() => void) | undefined;

  constructor({ chunk, bytes = chunk.bytes, spans, ends, starts, length, free }: Framed) {
    this.chunk = chunk;
    this.bytes = bytes;
    this.spans = spans;
    this.ends = ends;
    this.starts = starts;
    this.length = length;
    this.#free = free;
  }

  /** Nobody looks at them any more, nor at the chunk. */
  release(): void {
    this.#free?.();
    this.#free = undefined;
    this.chunk.release();
  }

  get count(): number {
    return this.spans.length / 2;
  }

  /** The bytes of a line as they are to be shipped. */
  line(index: number): Buffer {
    return this.replaced?.get(index) ?? this.bytes.subarray(this.spans[2 * index]!, this.spans[2 * index + 1]!);
  }

  /** Where a record was written in the chunk; another's bytes may lie between here and its end. */
  originOf(index: number): number {
    return this.starts?.[index] ?? this.startOf(index);
  }

  /** Where the bytes that a record accounts for begin in the chunk. */
  startOf(index: number): number {
    if (this.ends) return index === 0 ? 0 : this.ends[index - 1]!;
    return this.spans[2 * index]!;
  }

  /** Where the bytes that a record accounts for end in the chunk, newline included. */
  endOf(index: number): number {
    if (this.ends) return this.ends[index]!;
    return index + 1 < this.count ? this.spans[2 * index + 2]! : this.length;
  }

  time(index: number): Instant {
    const seconds = this.times?.seconds[index] ?? Number.NaN;
    if (!Number.isNaN(seconds)) return { seconds, nanos: this.times!.nanos[index]! };
    return { seconds: Math.floor(this.readAt / 1000), nanos: (this.readAt % 1000) * 1_000_000 };
  }

  setTime(index: number, { seconds, nanos }: Instant): void {
    this.times ??= { seconds: new Float64Array(this.count).fill(Number.NaN), nanos: new Uint32Array(this.count) };
    this.times.seconds[index] = seconds;
    this.times.nanos[index] = nanos;
  }

  level(index: number): number {
    return this.levels?.[index] ?? 0;
  }

  setLevel(index: number, level: number): void {
    this.levels ??= new Uint8Array(this.count);
    this.levels[index] = level;
  }

  /** Whether the line itself is the record. */
  isText(index: number): boolean {
    if (this.fields) return this.fields[index] === undefined;
    return this.format === 'text' || (this.#plain?.has(index) ?? false);
  }

  /** What cannot be read, or not be written, as what it seemed to be goes as the line that it was, with the reason. */
  excuse(index: number, reason: string): void {
    this.own.set(index, { ...this.own.get(index), parse_error: reason });
    if (this.fields) this.fields[index] = undefined;
    else if (this.format === 'json') {
      this.#plain ??= new Set();
      this.#plain.add(index);
    }
    this.failures++;
  }

  /** It is not to be shipped. Its bytes are accounted for all the same. */
  drop(index: number, reason: DropReason): void {
    this.#drops ??= new Uint8Array(this.count);
    // The first reason stays.
    this.#drops[index] ||= 1 + dropReasons.indexOf(reason);
  }

  dropped(index: number): DropReason | undefined {
    const number = this.#drops?.[index];
    return number ? dropReasons[number - 1] : undefined;
  }

  /** Whether any was dropped. */
  get anyDropped(): boolean {
    return this.#drops !== undefined;
  }

  /** Makes fields of all lines, for those who have to see them: ten times the cost of bytes. */
  materialise(): void {
    if (this.fields) return;
    const { count } = this;
    const fields: (Fields | undefined)[] = new Array(count);
    for (let index = 0; index < count; index++) {
      fields[index] = this.#parsed(index) ?? { [this.lineField]: this.line(index).toString() };
    }
    this.fields = fields;
  }

  /** The fields that a record was found to have; undefined where the line itself is the record. Throws where there are none after all. */
  found(index: number): Fields | undefined {
    if (this.isText(index)) return undefined;
    return this.fields ? this.fields[index] : parseObject(this.line(index).toString());
  }

  #parsed(index: number): Fields | undefined {
    try {
      return this.found(index);
    } catch (error) {
      this.excuse(index, (error as Error).message);
      return undefined;
    }
  }

  /** All that a record is, as an object: for those who show single ones. */
  object(index: number): Fields {
    const found = this.#parsed(index) ?? { [this.lineField]: this.line(index).toString() };
    return { ...found, ...this.common, ...this.own.get(index) };
  }
}

declare global {
  // TypeScript does not know these yet.
  interface JSON {
    parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
    rawJSON(text: string): { readonly rawJSON: string };
    isRawJSON(value: unknown): value is { readonly rawJSON: string };
  }
}

/** A JSON object; numbers that a double cannot hold keep their digits. Throws for anything else. */
export function parseObject(text: string): Fields {
  // The reviver costs three times the parse, and few lines need it.
  const value: unknown = tooExact.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('Not a JSON object');
  return value as Fields;
}

const tooExact = /\d{16}|\d[eE]\+?\d{3}/;

function keepDigits(_key: string, value: unknown, { source }: { source?: string }): unknown {
  const exact = typeof value !== 'number' || source === undefined || Number.isSafeInteger(value);
  // Of a key that is there twice V8 shows the last value, and the source of another.
  if (!exact && Number(source) !== value) return value;
  return exact || (Number.isFinite(value) && !/^-?\d+$/.test(source)) ? value : JSON.rawJSON(source);
}
