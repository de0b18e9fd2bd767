// The messages of the Forward protocol: four modes, told from one another by what follows the tag.

import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import type { Entry } from '../intake.ts';
import { MsgpackReader } from './msgpack-reader.ts';
import { MsgpackScan } from './msgpack-scan.ts';

export type Message = {
  readonly tag: string;
  readonly entries: Iterable<Entry>;
  /** The sender wants this back, byte for byte, once it is safe. */
  readonly chunk: Buffer | undefined;
};

type Option = { readonly chunk?: Buffer; readonly compressed?: string; readonly signal?: number };

/** Throws when it is none. Entries are decoded as they are asked for, which throws as well. */
export async function readMessage(bytes: Buffer, limit: number): Promise<Message> {
  const reader = new MsgpackReader(bytes);
  const count = reader.array();
  if (count < 2 || count > 4) throw new Error(`A message of ${count} parts`);
  const tag = reader.text().toString();
  const mode = reader.peek();
  if (mode === 'text') {
    const packed = reader.text();
    const option = count > 2 ? readOption(reader) : {};
    const entries = await decompress(packed, option, limit);
    return { tag, chunk: option.chunk, entries: packedEntries(entries, tag) };
  }
  if (mode === 'array') {
    // The option is behind them.
    const behind = reader.at + (new MsgpackScan(bytes.length).end(bytes.subarray(reader.at), bytes.length) ?? 0);
    const option = count > 2 ? readOption(new MsgpackReader(bytes, behind)) : {};
    return { tag, chunk: option.chunk, entries: forwardEntries(reader, tag) };
  }
  if (count < 3) throw new Error('A message without a record');
  const { time, metadata } = reader.time();
  const entry = entryOf({ time, metadata, fields: reader.fields() }, tag);
  const option = count > 3 ? readOption(reader) : {};
  return { tag, chunk: option.chunk, entries: [entry] };
}

function readOption(reader: MsgpackReader): Option {
  if (reader.peek() === 'nil') return {};
  const option: { -readonly [K in keyof Option]: Option[K] } = {};
  for (let left = reader.map(); left > 0; left--) {
    const key = reader.text().toString();
    if (key === 'chunk' && reader.peek() === 'text') option.chunk = reader.raw();
    else if (key === 'compressed') option.compressed = String(reader.value());
    else if (key === 'fluent_signal') option.signal = Number(reader.value());
    else reader.value();
  }
  if (option.signal) throw new Error('Metrics or traces, which are no records');
  return option;
}

const decompressors = { gzip: promisify(gunzip), zstd: promisify(zstdDecompress) };

async function decompress(packed: Buffer, { compressed = 'text' }: Option, limit: number): Promise<Buffer> {
  if (compressed === 'text') return packed;
  if (compressed !== 'gzip' && compressed !== 'zstd') throw new Error(`Compressed as ${compressed.slice(0, 40)}`);
  return (await decompressors[compressed](packed, { maxOutputLength: limit })) as Buffer;
}

function* packedEntries(bytes: Buffer, tag: string): Generator<Entry> {
  const reader = new MsgpackReader(bytes);
  while (!reader.atEnd) {
    const { entry, ends } = tryEntry(reader, { bytes, tag });
    yield entry;
    if (ends) return;
  }
}

function* forwardEntries(reader: MsgpackReader, tag: string): Generator<Entry> {
  for (let left = reader.array(); left > 0; left--) {
    const { entry, ends } = tryEntry(reader, { bytes: reader.bytes, tag });
    yield entry;
    if (ends) return;
  }
}

/**
 * What cannot be decoded goes as it is with the reason, and what is behind it with it: not to acknowledge it would have it
 * sent again for ever.
 */
function tryEntry(
  reader: MsgpackReader,
  { bytes, tag }: { bytes: Buffer; tag: string },
): { entry: Entry; ends: boolean } {
  const from = reader.at;
  try {
    return { entry: readEntry(reader, tag), ends: false };
  } catch (error) {
    const log = bytes.toString('base64', from, Math.min(bytes.length, from + excerpt));
    const fields = { log, parse_error: (error as Error).message, undecoded_bytes: bytes.length - from };
    return { entry: { tag, fields }, ends: true };
  }
}

/** Of what cannot be decoded. */
const excerpt = 0x10000;

function readEntry(reader: MsgpackReader, tag: string): Entry {
  const count = reader.array();
  if (count < 2) throw new Error('An entry without a record');
  const { time, metadata } = reader.time();
  const entry = entryOf({ time, metadata, fields: reader.fields() }, tag);
  for (let left = count - 2; left > 0; left--) reader.value();
  return entry;
}

type Parts = {
  readonly time: Entry['time'];
  readonly metadata: Entry['fields'] | undefined;
  readonly fields: Entry['fields'];
};

const entryOf = ({ time, metadata, fields }: Parts, tag: string): Entry => ({
  tag,
  time,
  fields: metadata && !Object.hasOwn(fields, 'metadata') ? { ...fields, metadata } : fields,
});

/** What the sender waits for. */
export const acknowledgementOf = (chunk: Buffer): Buffer =>
  Buffer.concat([Buffer.from('\x81\xa3ack', 'latin1'), chunk]);
