// The kernel: bytes to lines, and lines to entries of Forward in WebAssembly, which has instructions for 16 bytes at a time.
// kernel/ holds its source and says what it takes and leaves. One for the process, made when it is first wanted: what it
// needs is fixed.

import { randomBytes } from 'node:crypto';
import type { Records } from '../records.ts';
import { kernelBytes } from './kernel-bytes.ts';

declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: unknown };
};

type Global = { readonly value: number };

type Exports = {
  readonly memory: { readonly buffer: ArrayBuffer };
  seed(a: bigint, b: bigint): void;
  clearNames(): void;
  addName(place: number, length: number, flags: number): void;
  setCommon(place: number, length: number, count: number): void;
  setReaders(times: boolean, levels: boolean): void;
  addLevel(from: number, length: number, level: number): void;
  run(lines: number): number;
  setHead(place: number, length: number): void;
  texts(lines: number, room: number): number;
  split(length: number, shift: number, begin: number, limit: number): number;
  readonly looked: Global;
  unwrap(lines: number, shift: number, limit: number): number;
} & { readonly [name in (typeof globals)[number]]: Global };

const globals = [
  ...(['HEADER', 'IN', 'MOST_BYTES', 'MOST_LINES', 'MOST_NAMES', 'MOST_TEXT', 'RESULTS', 'SPANS', 'TEXTS'] as const),
  ...(['NANOS', 'SECONDS', 'STARTS', 'STOPS', 'STREAMS'] as const),
  ...(['LEVEL', 'OMIT', 'TIME'] as const),
] as const;

/** Numbers of a result: where the entry is, then time and level. Half as many doubles. */
export const resultLength = 8;

export class Kernel {
  readonly exports: Exports;
  /** All of its memory. */
  readonly bytes: Buffer;
  readonly spans: Int32Array;
  readonly results: Int32Array;
  readonly seconds: Float64Array;
  /** Of lines in envelopes. */
  readonly columns: {
    readonly spans: Int32Array;
    readonly seconds: Float64Array;
    readonly nanos: Uint32Array;
    readonly starts: Uint32Array;
    readonly stops: Uint32Array;
    readonly streams: Uint8Array;
  };
  /** Of texts: where each begins, and where the last one ends. */
  readonly places: Int32Array;
  /** Whose lines are in it. A number, since their owner would hold on to a chunk. */
  owner = 0;
  #owners = 0;

  constructor() {
    const module = new WebAssembly.Module(Buffer.from(kernelBytes, 'base64'));
    const number = (start: number, end: number) => Number(this.bytes.toString('latin1', start, end));
    this.exports = new WebAssembly.Instance(module, { env: { number } }).exports as Exports;
    const { buffer } = this.exports.memory;
    this.bytes = Buffer.from(buffer);
    const lines = this.place('MOST_LINES');
    this.spans = new Int32Array(buffer, this.place('SPANS'), 2 * lines);
    this.results = new Int32Array(buffer, this.place('RESULTS'), resultLength * lines);
    this.seconds = new Float64Array(buffer, this.place('RESULTS'), (resultLength / 2) * lines);
    this.columns = {
      spans: this.spans,
      seconds: new Float64Array(buffer, this.place('SECONDS'), lines),
      nanos: new Uint32Array(buffer, this.place('NANOS'), lines),
      starts: new Uint32Array(buffer, this.place('STARTS'), lines),
      stops: new Uint32Array(buffer, this.place('STOPS'), lines),
      streams: new Uint8Array(buffer, this.place('STREAMS'), lines),
    };
    this.places = new Int32Array(buffer, this.place('RESULTS'), lines + 1);
    const seeds = randomBytes(16);
    this.exports.seed(seeds.readBigUInt64LE(0), seeds.readBigUInt64LE(8));
  }

  /** What the kernel says of itself: where something lies, or how much there is room for. */
  place(name: (typeof globals)[number]): number {
    return this.exports[name].value;
  }

  newOwner(): number {
    return ++this.#owners;
  }
}

/**
 * Has the kernel find lines in so much from `at` on as it has room for: in `spans`, as places in the bytes. `begin` is where
 * the first begins; one that is longer than `limit` ends it. Returns how many.
 */
export function splitFrom(kernel: Kernel, bytes: Buffer, at: number, begin: number, limit: number): number {
  // Whoever has lines in it finds others there.
  kernel.owner = kernel.newOwner();
  const end = Math.min(at + kernel.place('MOST_BYTES'), bytes.length);
  return kernel.exports.split(bytes.copy(kernel.bytes, kernel.place('IN'), at, end), at, begin, limit);
}

/** Puts the lines of records from one on into the kernel, as many as there is room for. Returns how many. */
export function load(
  kernel: Kernel,
  { bytes, spans, count }: Records,
  first: number,
  wanted = Number.POSITIVE_INFINITY,
): number {
  const [mostLines, mostBytes, place] = [kernel.place('MOST_LINES'), kernel.place('MOST_BYTES'), kernel.place('IN')];
  const from = spans[2 * first]!;
  const most = Math.min(count - first, mostLines, wanted);
  let lines = 0;
  let end = from;
  for (; lines < most; lines++) {
    const start = spans[2 * (first + lines)]!;
    const stop = spans[2 * (first + lines) + 1]!;
    // In the order in which they lie, as nearly all are.
    if (start < end || stop - from > mostBytes) break;
    kernel.spans[2 * lines] = start - from;
    kernel.spans[2 * lines + 1] = stop - from;
    end = stop;
  }
  bytes.copy(kernel.bytes, place, from, end);
  return lines;
}

let kernel: Kernel | undefined;
let problem: string | undefined;

/** Undefined where there can be none: on a processor without such instructions, or in a process that may not compile. */
export function kernelOf(): Kernel | undefined {
  if (kernel || problem !== undefined) return kernel;
  try {
    kernel = new Kernel();
  } catch (error) {
    problem = (error as Error).message;
  }
  return kernel;
}

/** Why there is none, once one was wanted. */
export const kernelProblem = (): string | undefined => problem;
