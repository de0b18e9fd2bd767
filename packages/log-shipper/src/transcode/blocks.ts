// Lines of JSON to entries of Forward by the kernel, as many in a call as it has room for. What comes of a line is, byte for
// byte, what the scanner and to-msgpack.ts make of it.

import type { ByteWriter } from '../byte-writer.ts';
import { putTime } from '../encoding/entry.ts';
import type { Records } from '../records.ts';
import { severityOfBytes } from '../severity.ts';
import { type Kernel, kernelOf, resultLength } from './kernel.ts';
import { noteLevelOf, noteTimeOf } from './sought.ts';
import { copyRun } from './words.ts';

export type Given = {
  readonly records: Records;
  /** The beginning of an entry, with the time of reading. */
  readonly entry: Buffer;
  /** What all records have, as members of a map, and how many that is. */
  readonly common: Buffer;
  readonly count: number;
};

/** In the place of a value that the kernel has read itself. */
const read = -1;

/** Undefined where there is no kernel, or no room in it for what all records have. All lines have to be UTF-8. */
export function openBlocks(given: Given): Blocks | undefined {
  const kernel = kernelOf();
  if (!kernel) return undefined;
  const { sought, common } = given.records;
  const names = [...Object.keys(common), sought?.timeField ?? '', sought?.levelField ?? ''];
  const length = given.common.length + 3 * names.join('').length;
  const fits = names.length <= kernel.place('MOST_NAMES') && length <= kernel.place('MOST_TEXT');
  return fits ? new Blocks(kernel, given) : undefined;
}

export class Blocks {
  readonly #kernel: Kernel;
  readonly #given: Given;
  readonly #records: Records;
  readonly #owner: number;
  // Which records are in the kernel's memory, as long as that is ours.
  #first = 0;
  #behind = 0;

  constructor(kernel: Kernel, given: Given) {
    this.#kernel = kernel;
    this.#given = given;
    this.#records = given.records;
    this.#owner = kernel.newOwner();
  }

  /** Writes the record of a line. False: the line is one for the scanner. */
  write(index: number, into: ByteWriter): boolean {
    const kernel = this.#kernel;
    const loaded = index >= this.#first && index < this.#behind && kernel.owner === this.#owner;
    if (!loaded && !this.#load(index)) return false;
    const { results, bytes } = kernel;
    const result = resultLength * (index - this.#first);
    const begin = results[result]!;
    const end = results[result + 1]!;
    if (end === 0) return false;
    this.#noteTime(index, result, begin);
    if (results[result + 6] !== 0) this.#noteLevel(index, result);
    const out = into.reserve(end - begin + 8);
    const { at } = into;
    copyRun(bytes, kernel.view, begin, end, out, into.view, at);
    into.at = at + end - begin;
    return true;
  }

  #noteTime(index: number, result: number, begin: number): void {
    const { results, seconds, bytes } = this.#kernel;
    const records = this.#records;
    const from = results[result + 4]!;
    if (from === read) {
      moment.seconds = seconds[result / 2 + 1]!;
      moment.nanos = results[result + 5]!;
      records.setTime(index, moment);
      return;
    }
    if (from !== 0) noteTimeOf(records, index, bytes, from, results[result + 5]!);
    // It may also be known otherwise, as it is of a container's log.
    if (records.times) putTime(bytes, begin, records.time(index));
  }

  #noteLevel(index: number, result: number): void {
    const { results, bytes, exports } = this.#kernel;
    const records = this.#records;
    const [from, to] = [results[result + 6]!, results[result + 7]!];
    if (from === read) {
      records.setLevel(index, to);
      return;
    }
    const level = noteLevelOf(records, index, bytes, from, to);
    if (level === 0 || records.sought?.readLevel !== severityOfBytes) return;
    const quoted = bytes[from] === 0x22 ? 1 : 0;
    exports.addLevel(from + quoted, to - from - 2 * quoted, level);
  }

  /** Lines from one on. False: not even that one is for the kernel. */
  #load(index: number): boolean {
    const kernel = this.#kernel;
    if (kernel.owner !== this.#owner) this.#prepare();
    const { bytes, spans, count } = this.#records;
    const [mostLines, mostBytes, place] = [kernel.place('MOST_LINES'), kernel.place('MOST_BYTES'), kernel.place('IN')];
    const from = spans[2 * index]!;
    const most = Math.min(count - index, mostLines);
    let lines = 0;
    let end = from;
    for (; lines < most; lines++) {
      const start = spans[2 * (index + lines)]!;
      const stop = spans[2 * (index + lines) + 1]!;
      // In the order in which they lie, as nearly all are.
      if (start < end || stop - from > mostBytes) break;
      kernel.spans[2 * lines] = start - from;
      kernel.spans[2 * lines + 1] = stop - from;
      end = stop;
    }
    this.#first = index;
    this.#behind = index;
    if (lines === 0) return false;
    bytes.copy(kernel.bytes, place, from, end);
    this.#behind = index + kernel.exports.run(lines);
    return this.#behind > index;
  }

  /** What holds for all lines of these records. */
  #prepare(): void {
    const kernel = this.#kernel;
    const { exports, bytes } = kernel;
    const { entry, common, count } = this.#given;
    const { sought, common: fields } = this.#records;
    const [omit, time, level] = [kernel.place('OMIT'), kernel.place('TIME'), kernel.place('LEVEL')];
    kernel.owner = this.#owner;
    entry.copy(bytes, kernel.place('HEADER'));
    exports.clearNames();
    exports.setReaders(sought?.readsRfc3339 ?? false, sought?.readLevel === severityOfBytes);
    let at = kernel.place('TEXTS');
    const names = new Set([...Object.keys(fields), sought?.timeField, sought?.levelField]);
    for (const name of names) {
      if (name === undefined) continue;
      const watched = name === sought?.timeField ? time : name === sought?.levelField ? level : 0;
      const length = bytes.write(name, at);
      exports.addName(at, length, watched | (Object.hasOwn(fields, name) ? omit : 0));
      at += length;
    }
    common.copy(bytes, at);
    exports.setCommon(at, common.length, count);
  }
}

const moment = { seconds: 0, nanos: 0 };
