// A batch as the receiver takes it: [tag, entries, options], PackedForward or CompressedPackedForward.

import { promisify } from 'node:util';
import { constants, gzip, zstdCompress } from 'node:zlib';
import { encode } from '@fluent-org/logger/build/src/protocol.js';

export type Compression = 'none' | 'gzip' | 'zstd';

/** What is needed of a batch. */
export type Entries = { readonly id: string; readonly bytes: Buffer; readonly records: number };

// In the thread pool; the fastest level, since a sidecar is paid by CPU.
const compressors = {
  gzip: (bytes: Buffer) => promisify(gzip)(bytes, { level: 1 }),
  zstd: (bytes: Buffer) => promisify(zstdCompress)(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }),
};

/** Compresses once for all the attempts that a batch takes. */
export class Packer {
  readonly #compression: Compression;
  #compressed: { readonly id: string; readonly bytes: Buffer } | undefined;

  constructor(compression: Compression) {
    this.#compression = compression;
  }

  /** Pieces to be written one behind the other. */
  async pack(batch: Entries, tag: string): Promise<Buffer[]> {
    const bytes = await this.#compress(batch);
    const name = encode(tag);
    const head = Buffer.alloc(1 + name.length + 5);
    head[0] = 0x93;
    head.set(name, 1);
    head[head.length - 5] = 0xc6;
    head.writeUInt32BE(bytes.length, head.length - 4);
    const compressed = this.#compression === 'none' ? {} : { compressed: this.#compression };
    const options = encode({ size: batch.records, chunk: batch.id, ...compressed });
    return [head, bytes, Buffer.from(options.buffer, options.byteOffset, options.length)];
  }

  /** Nothing is kept of a batch that needs no further attempt. */
  forget(): void {
    this.#compressed = undefined;
  }

  async #compress({ id, bytes }: Entries): Promise<Buffer> {
    if (this.#compression === 'none') return bytes;
    if (this.#compressed?.id !== id) this.#compressed = { id, bytes: await compressors[this.#compression](bytes) };
    return this.#compressed.bytes;
  }
}
