// How settled lines lie in a segment: frames, each with what is needed to tell whether it is whole, whose it is and where it
// belongs when those before it are gone.
//
//   0 magic   4 crc32 of all that follows   8 length   12 kind   14 version   16 offset   20 before
//   24 records   28 dropped bytes   32 time   40 origin   48 payload

import { crc32 } from 'node:zlib';

export const headerLength = 48;

/** Longer ones are not written, so a length beyond it is damage, and no reason to allocate. */
export const longestPayload = 0x2000000;

/** In UTF-8 neither of the first two bytes occurs: no line can hold it. */
export const magic = Buffer.of(0xff, 0xfe, 0x53, 0x31);

export const kinds = { lines: 1, dropped: 2, end: 3 } as const;

export type Header = {
  readonly kind: number;
  /** Bytes of lines in this segment before it, those that are no longer there included. */
  readonly offset: number;
  /** Records before it, likewise. */
  readonly before: number;
  /** Records in it; in a `dropped` frame those that were in its place. */
  readonly records: number;
  /** Bytes of lines that were in its place. */
  readonly dropped: number;
  /** When it was put there, in milliseconds since the epoch. */
  readonly time: number;
};

export type Frame = Header & {
  /** Where its payload is in the buffer it was decoded from. */
  readonly start: number;
  readonly end: number;
};

const version = 1;

export function encodeHeader(header: Header, { payload, origin }: { payload: Buffer; origin: Buffer }): Buffer {
  const bytes = Buffer.allocUnsafe(headerLength);
  magic.copy(bytes);
  bytes.writeUInt32LE(payload.length, 8);
  bytes[12] = header.kind;
  bytes[13] = 0;
  bytes.writeUInt16LE(version, 14);
  bytes.writeUInt32LE(header.offset, 16);
  bytes.writeUInt32LE(header.before, 20);
  bytes.writeUInt32LE(header.records, 24);
  bytes.writeUInt32LE(header.dropped, 28);
  bytes.writeDoubleLE(header.time, 32);
  origin.copy(bytes, 40);
  bytes.writeUInt32LE(crc32(payload, crc32(bytes.subarray(8))), 4);
  return bytes;
}

/** How many bytes the frame at that place says it has; undefined when no header can be there. */
export function frameLength(bytes: Buffer, at: number): number | undefined {
  if (bytes.compare(magic, 0, 4, at, at + 4) !== 0) return undefined;
  const length = bytes.readUInt32LE(at + 8);
  return length > longestPayload ? undefined : headerLength + length;
}

/** The frame at that place, all of which is there; undefined when it is not as it was written, or another segment's. */
export function decodeFrame(bytes: Buffer, at: number, origin: Buffer | undefined): Frame | undefined {
  const end = at + headerLength + bytes.readUInt32LE(at + 8);
  if (bytes.readUInt32LE(at + 4) !== crc32(bytes.subarray(at + 8, end))) return undefined;
  if (bytes.readUInt16LE(at + 14) !== version) return undefined;
  if (origin && bytes.compare(origin, 0, 8, at + 40, at + 48) !== 0) return undefined;
  return {
    kind: bytes[at + 12]!,
    offset: bytes.readUInt32LE(at + 16),
    before: bytes.readUInt32LE(at + 20),
    records: bytes.readUInt32LE(at + 24),
    dropped: bytes.readUInt32LE(at + 28),
    time: bytes.readDoubleLE(at + 32),
    start: at + headerLength,
    end,
  };
}
