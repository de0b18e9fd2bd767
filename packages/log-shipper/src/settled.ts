// Records of sources that push, as they lie in the disk queue: parsed, transformed, one line each, with time, level and tag
// before the JSON: `<seconds>.<9 digits> <severityNumber> <tag as JSON string, or null> <json object>\n`.

import { ByteWriter } from './byte-writer.ts';
import { writeOrExcuse } from './encoding/encoding.ts';
import { jsonRecord } from './encoding/json.ts';
import { Records } from './records.ts';
import type { Chunk } from './source/source.ts';

/** What is to be put into the queue; nothing of what was dropped. */
export function settle(records: Records): Buffer {
  const write = jsonRecord(records);
  const into = new ByteWriter(records.length + 64 * records.count);
  const object = new ByteWriter();
  for (let index = 0; index < records.count; index++) {
    if (records.dropped(index)) continue;
    // First: whoever writes it finds time and level in it.
    object.reset();
    writeOrExcuse(records, write, { index, into: object });
    const { seconds, nanos } = records.time(index);
    const tag = JSON.stringify(records.tags?.[index] ?? null);
    into.text(`${seconds}.${String(nanos).padStart(9, '0')} ${records.level(index)} ${tag} `);
    into.copy(object.written);
    into.byte(newline);
  }
  return into.written;
}

const newline = 0x0a;
const space = 0x20;
const quote = 0x22;
const backslash = 0x5c;

/** Reads them back. Whatever is no such line was damaged; it goes as text, with the reason. */
export function unsettle(chunk: Chunk): Records {
  const { bytes } = chunk;
  const spans: number[] = [];
  const ends: number[] = [];
  const heads: Head[] = [];
  const strange: number[] = [];
  let start = 0;
  for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
    const head = headOf(bytes, start, end);
    if (!head) strange.push(heads.length);
    heads.push(head ?? { seconds: Number.NaN, nanos: 0, level: 0, tag: undefined, json: start });
    spans.push(heads.at(-1)!.json, end);
    start = end + 1;
    ends.push(start);
  }
  chunk.take(start);
  const records = new Records({ chunk, spans, ends, length: start });
  records.format = 'json';
  records.times = {
    seconds: Float64Array.from(heads, ({ seconds }) => seconds),
    nanos: Uint32Array.from(heads, ({ nanos }) => nanos),
  };
  records.levels = Uint8Array.from(heads, ({ level }) => level);
  if (heads.some(({ tag }) => tag !== undefined)) records.tags = heads.map(({ tag }) => tag);
  for (const index of strange) records.excuse(index, 'Not a line of the disk queue');
  return records;
}

type Head = {
  readonly seconds: number;
  readonly nanos: number;
  readonly level: number;
  readonly tag: string | undefined;
  /** Where the object begins. */
  readonly json: number;
};

function headOf(bytes: Buffer, start: number, end: number): Head | undefined {
  const afterTime = bytes.indexOf(space, start);
  const afterLevel = bytes.indexOf(space, afterTime + 1);
  if (afterTime === -1 || afterLevel === -1 || afterLevel >= end) return undefined;
  const afterTag = tagEnd(bytes, afterLevel + 1, end);
  const time = /^(-?\d{1,12})\.(\d{9})$/.exec(bytes.toString('latin1', start, afterTime));
  const level = Number(bytes.toString('latin1', afterTime + 1, afterLevel));
  if (!time || !(level >= 0 && level <= 24) || afterTag === undefined || bytes[afterTag] !== space) return undefined;
  const tag =
    bytes[afterLevel + 1] === quote ? JSON.parse(bytes.toString('utf8', afterLevel + 1, afterTag)) : undefined;
  return { seconds: Number(time[1]), nanos: Number(time[2]), level, tag, json: afterTag + 1 };
}

function tagEnd(bytes: Buffer, start: number, end: number): number | undefined {
  if (bytes[start] !== quote) return start + 'null'.length;
  for (let at = start + 1; at < end; at++) {
    if (bytes[at] === backslash) at++;
    else if (bytes[at] === quote) return at + 1;
  }
  return undefined;
}
