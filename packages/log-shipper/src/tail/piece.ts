// What was read of a file at once, and the places in it.

import type { Cursor, Ledger, Place, Settled } from '../ledger.ts';
import type { Chunk } from '../source/source.ts';
import type { Lease } from './buffers.ts';
import { decode, type Encoding, encodedLength } from './encodings.ts';
import { fingerprint, reach } from './fingerprint.ts';

export type Piece = {
  readonly lease: Lease;
  /** The first bytes of the file. */
  readonly head: Buffer;
  /** From the offset on. Before them lie those before the offset, which only places are made of. */
  readonly bytes: Buffer;
  readonly offset: number;
  readonly encoding: Encoding;
};

type About = Pick<Chunk, 'path' | 'origin' | 'quiet' | 'full' | 'unfinished'> & {
  readonly cursor: Cursor;
  readonly ledger: Ledger;
};

export function chunkOf(piece: Piece, { cursor, ledger, ...about }: About): Chunk {
  const { lease, bytes, offset, encoding } = piece;
  const text = decode(bytes, encoding);
  const placeAfter = (length: number) => placeIn(piece, encodedLength(text, length, encoding));
  return {
    ...about,
    bytes: text,
    offset,
    take: (length) => {
      if (length > 0) cursor.read = placeAfter(length);
    },
    acknowledgement: (length) => {
      const reached = placeAfter(length);
      return (settled) => {
        const encoded = reached.offset - cursor.acknowledged.offset;
        ledger.acknowledge(cursor, reached, encoding === 'utf-8' ? settled : asEncoded(settled, encoded));
      };
    },
    release: lease.release,
  };
}

function placeIn({ head, bytes, offset }: Piece, at: number): Place {
  const known = Math.min(reach, offset + at);
  // What lies before the offset lies before the bytes, in the same buffer.
  const tail = Buffer.from(bytes.buffer, bytes.byteOffset + at - known, known);
  return { offset: offset + at, print: fingerprint(head.subarray(0, known), tail) };
}

/** What became of decoded bytes, in bytes of the file: the sum must be what was acknowledged. */
function asEncoded({ delivered, dead, dropped }: Settled, length: number): Settled {
  const reasons = Object.entries(dropped) as [keyof typeof dropped, number][];
  const sum = delivered + dead + reasons.reduce((total, [, bytes]) => total + bytes, 0);
  const scale = (bytes: number) => (sum === 0 ? 0 : Math.floor((bytes * length) / sum));
  const others = reasons.map(([reason, bytes]) => [reason, scale(bytes)] as const);
  const rest = others.reduce((total, [, bytes]) => total + bytes, scale(dead));
  return { delivered: length - rest, dead: scale(dead), dropped: Object.fromEntries(others) };
}
