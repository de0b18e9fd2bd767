// Bodies of requests, bounded each and all together, before and after they are decompressed.

import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, type InputType, inflate, inflateRaw, type ZlibOptions, zstdDecompress } from 'node:zlib';

/** A request that is not taken, and what its sender is told. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, detail: string) {
    super(detail);
    this.name = 'Refused';
    this.status = status;
    this.code = code;
  }
}

type Decompress = (input: InputType, options: ZlibOptions) => Promise<Buffer>;

const zlibOrRaw: Decompress = (input, options) =>
  // RFC 9110 means zlib's format, and some senders leave its two bytes out.
  ((input as Buffer)[0]! & 0x0f) === 8 ? promisify(inflate)(input, options) : promisify(inflateRaw)(input, options);

const decompressors: Readonly<Record<string, Decompress>> = {
  gzip: promisify(gunzip) as Decompress,
  'x-gzip': promisify(gunzip) as Decompress,
  deflate: zlibOrRaw,
  zstd: promisify(zstdDecompress) as unknown as Decompress,
};

export class Bodies {
  readonly #limit: number;
  readonly #together: number;
  #held = 0;

  constructor({ limit, together }: { limit: number; together: number }) {
    this.#limit = limit;
    this.#together = together;
  }

  /** Holds memory until `use` has ended. Rejects with Refused, or with an Error when the client leaves. */
  async read<T>(request: IncomingMessage, use: (body: Buffer) => Promise<T>): Promise<T> {
    const decompress = decompressorOf(request.headers['content-encoding']);
    let held = 0;
    const hold = (bytes: number) => {
      held += bytes;
      this.#held += bytes;
      if (this.#held > this.#together)
        throw new Refused(429, 'TOO_MUCH_AT_ONCE', 'Too much is being sent at once; try again');
    };
    try {
      if (Number(request.headers['content-length'] ?? 0) > this.#limit) throw this.#tooLarge();
      const pieces: Buffer[] = [];
      for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        hold(piece.length);
        if (held > this.#limit) throw this.#tooLarge();
        pieces.push(piece);
      }
      const sent = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
      if (!decompress || sent.length === 0) return await use(sent);
      const body = await this.#decompress(decompress, sent);
      hold(body.length);
      return await use(body);
    } finally {
      this.#held -= held;
    }
  }

  async #decompress(decompress: Decompress, sent: Buffer): Promise<Buffer> {
    try {
      return await decompress(sent, { maxOutputLength: this.#limit });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw this.#tooLarge();
      throw new Refused(
        400,
        'NOT_COMPRESSED',
        `The body is not what its Content-Encoding says: ${(error as Error).message}`,
      );
    }
  }

  #tooLarge(): Refused {
    return new Refused(
      413,
      'BODY_TOO_LARGE',
      `At most ${this.#limit} bytes are accepted, before and after decompression`,
    );
  }
}

function decompressorOf(encoding: string | undefined): Decompress | undefined {
  const name = encoding?.trim().toLowerCase() || 'identity';
  if (name === 'identity') return undefined;
  const decompress = Object.hasOwn(decompressors, name) ? decompressors[name] : undefined;
  if (!decompress)
    throw new Refused(415, 'CONTENT_ENCODING', 'Content-Encoding gzip, deflate, zstd or none is expected');
  return decompress;
}
