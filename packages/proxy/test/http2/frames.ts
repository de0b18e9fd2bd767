// HTTP/2 by hand: frames exactly as a test wants them, right or wrong, and what comes back taken apart.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { until } from '@outrigger/core/testing';

export const types = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flags = { none: 0, ack: 1, endStream: 1, endHeaders: 4, padded: 8 } as const;

export const codes = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  refused: 7,
  cancel: 8,
  compression: 9,
  calm: 11,
} as const;

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export type Frame = {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
};

export function frame(type: number, flag: number, stream: number, payload: Buffer | string = ''): Buffer {
  const octets = Buffer.from(payload as string, 'latin1');
  const head = Buffer.alloc(9);
  head.writeUIntBE(octets.length, 0, 3);
  head[3] = type;
  head[4] = flag;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, octets]);
}

/** HPACK with nothing indexed and nothing compressed: any octets can be said. */
export function block(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  const string = (value: string) => {
    const octets = Buffer.from(value, 'latin1');
    return Buffer.concat([integer(octets.length, 7), octets]);
  };
  return Buffer.concat(fields.map(([name, value]) => Buffer.concat([Buffer.of(0), string(name), string(value)])));
}

function integer(value: number, bits: number): Buffer {
  const most = (1 << bits) - 1;
  if (value < most) return Buffer.of(value);
  const octets = [most];
  let rest = value - most;
  for (; rest >= 128; rest >>>= 7) octets.push((rest & 127) | 128);
  return Buffer.of(...octets, rest);
}

export const settings = (...pairs: readonly (readonly [id: number, value: number])[]) =>
  frame(types.settings, 0, 0, Buffer.concat(pairs.map(([id, value]) => pairOctets(id, value))));

function pairOctets(id: number, value: number): Buffer {
  const octets = Buffer.alloc(6);
  octets.writeUInt16BE(id, 0);
  octets.writeUInt32BE(value, 2);
  return octets;
}

export type Fields = readonly (readonly [name: string, value: string])[];

export const request = (path = '/', further: Fields = []): Fields => [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'example.com'],
  [':path', path],
  ...further,
];

export const headers = (stream: number, fields: Fields, flag: number = flags.endStream) =>
  frame(types.headers, flag | flags.endHeaders, stream, block(fields));

export const word = (value: number) => {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value);
  return octets;
};

export const reset = (stream: number, code: number = codes.cancel) => frame(types.reset, 0, stream, word(code));

/** Adds the whole frames in octets[from) to `frames`; returns the offset after them. */
export function takeFrames(octets: Buffer, from: number, frames: Frame[]): number {
  let at = from;
  while (octets.length >= at + 9 && octets.length >= at + 9 + octets.readUIntBE(at, 3)) {
    const end = at + 9 + octets.readUIntBE(at, 3);
    const payload = Buffer.from(octets.subarray(at + 9, end));
    frames.push({ type: octets[at + 3]!, flags: octets[at + 4]!, stream: octets.readUInt32BE(at + 5), payload });
    at = end;
  }
  return at;
}

/** One connection of a client that obeys nobody. */
export class Wire implements Disposable {
  readonly frames: Frame[] = [];
  closed = false;
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#socket = socket
      .on('data', (octets: Buffer) => this.#read(octets))
      // A connection that is reset is closed; which is what the tests ask for.
      .on('error', () => socket.destroy())
      .on('close', () => {
        this.closed = true;
      });
  }

  #read(octets: Buffer): void {
    const arrived = Buffer.concat([this.#rest, octets]);
    this.#rest = arrived.subarray(takeFrames(arrived, 0, this.frames));
  }

  send(...octets: readonly Buffer[]): this {
    this.#socket.write(Buffer.concat(octets));
    return this;
  }

  pause(): void {
    this.#socket.pause();
  }

  /** Resolves once everything sent has left. */
  async sent(): Promise<void> {
    await until(() => this.#socket.writableLength === 0 || this.closed, { what: 'what was sent to leave' });
  }

  find(type: number, stream?: number): Frame | undefined {
    return this.frames.find((each) => each.type === type && (stream === undefined || each.stream === stream));
  }

  count(type: number): number {
    return this.frames.filter((each) => each.type === type).length;
  }

  /** Resolves with the first frame of this kind. */
  async until(type: number, stream?: number): Promise<Frame> {
    const found = await until(() => this.find(type, stream) ?? this.closed, {
      what: () => `a frame of type ${type} on stream ${stream} among ${this.summary}`,
    });
    if (found === true) throw new Error(`The connection closed without type ${type} on ${stream}: ${this.summary}`);
    return found;
  }

  /** The code of the GOAWAY or RST_STREAM that came; the connection may have closed since. */
  async code(type: typeof types.reset | typeof types.goaway, stream?: number): Promise<number> {
    const { payload } = await this.until(type, stream);
    return payload.readUInt32BE(type === types.goaway ? 4 : 0);
  }

  async untilClosed(): Promise<void> {
    await until(() => this.closed, { what: () => `the end after ${this.summary}` });
  }

  /** The body that came on a stream so far. */
  body(stream: number): string {
    const mine = this.frames.filter((each) => each.type === types.data && each.stream === stream);
    return Buffer.concat(mine.map(({ payload }) => payload)).toString();
  }

  get summary(): string {
    return JSON.stringify(
      this.frames.map((each) => [each.type, each.flags, each.stream, each.payload.toString('latin1')]),
    );
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

/** A TLS connection that speaks h2, past the preface and SETTINGS unless these are the test's own. */
export async function wire(port: number, greets = true): Promise<Wire> {
  const socket = connectTls({ host: '127.0.0.1', port, ALPNProtocols: ['h2'], rejectUnauthorized: false });
  const made = new Wire(socket);
  await once(socket, 'secureConnect');
  if (socket.alpnProtocol !== 'h2') throw new Error(`The server speaks ${socket.alpnProtocol}`);
  if (!greets) return made;
  made.send(preface, settings());
  await made.until(types.settings);
  made.send(frame(types.settings, flags.ack, 0));
  return made;
}
