// Lines of JSON to entries of Forward by the kernel, as many in a call as it has room for. What comes of a line is, byte for
// byte, what the scanner and to-msgpack.ts make of it.

import type { Run } from '../encoding/encoding.ts';
import { putTime } from '../encoding/entry.ts';
import type { Records } from '../records.ts';
import { severityOfBytes } from '../severity.ts';
import { type Kernel, kernelOf, load, resultLength } from './kernel.ts';
import { noteLevelOf, noteTimeOf } from './sought.ts';

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
export function openBlocks(given: Given): Run | undefined {
  const kernel = kernelOf();
  if (!kernel) return undefined;
  const { sought, common } = given.records;
  const names = [...Object.keys(common), sought?.timeField ?? '', sought?.levelField ?? ''];
  const length = given.common.length + 3 * names.join('').length;
  const fits = names.length <= kernel.place('MOST_NAMES') && length <= kernel.place('MOST_TEXT');
  return fits ? new Blocks(kernel, given).run : undefined;
}

class Blocks {
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

  /** Stops before a line that is for the scanner, and one that has something of its own. */
  readonly run: Run = (first, { into, offsets, room, most }) => {
    const kernel = this.#kernel;
    const { results } = kernel;
    const { own, replaced } = this.#records;
    const loaded = first >= this.#first && first < this.#behind && kernel.owner === this.#owner;
    if (!loaded) this.#load(first);
    const last = Math.min(this.#behind, first + most);
    const begun = into.length;
    let from = 0;
    let to = 0;
    let index = first;
    for (; index < last && !own.has(index) && !replaced?.has(index); index++) {
      const result = resultLength * (index - this.#first);
      const [begin, end] = [results[result]!, results[result + 1]!];
      if (index === first) from = begin;
      if (end === 0 || end - from > room) break;
      offsets.push(begun + begin - from);
      this.#noteTime(index, result, begin);
      if (results[result + 6] !== 0) this.#noteLevel(index, result);
      to = end;
    }
    if (index > first) into.copy(kernel.bytes, from, to);
    return index - first;
  };

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

  #load(first: number): void {
    const kernel = this.#kernel;
    if (kernel.owner !== this.#owner) this.#prepare();
    this.#first = first;
    this.#behind = first + kernel.exports.run(load(kernel, this.#records, first));
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
