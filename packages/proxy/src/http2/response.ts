// The response of an application of HTTP/2 on its way to a client: as it is where that speaks HTTP/2, else framed anew.

import { writeChunkSize } from '../http/chunked.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Peer } from '../peer.ts';
import { fieldValue, responseHead } from './head.ts';

const lastChunk = Buffer.from('0\r\n\r\n');

export class ResponseWriter {
  /** Once its head is there. */
  #status = 0;
  /** The client's connection may carry another request. */
  keep: boolean;
  /** Octets of the body. */
  sent = 0;
  readonly #peer: Peer;
  readonly #method: string;
  readonly #minor: number;
  #bodiless = false;
  #chunked = false;

  constructor(peer: Peer, { method, minor, keepsAlive }: RequestHead) {
    this.#peer = peer;
    this.#method = method;
    this.#minor = minor;
    this.keep = keepsAlive;
  }

  interim(status: number, fields: readonly string[]): void {
    const { streams } = this.#peer;
    if (streams) streams.respond(status, fields, false);
    else if (this.#minor === 1)
      this.#peer.write(responseHead(status, fields, { chunked: false, connection: undefined }));
  }

  /** @param ended no body follows; @param mayKeep as seen from outside. */
  head(status: number, fields: string[], ended: boolean, mayKeep: boolean): void {
    const { streams } = this.#peer;
    const empty = status === 204 || status === 304 || this.#method === 'HEAD';
    this.#status = status;
    this.#bodiless = ended || empty;
    if (streams) streams.respond(status, fields, this.#bodiless, true);
    else {
      // Nothing else says that there is no body.
      if (ended && !empty && !isMeasured(fields)) fields.push('content-length', '0');
      this.#frame(fields, mayKeep);
    }
  }

  #frame(fields: readonly string[], mayKeep: boolean): void {
    const measured = this.#bodiless || isMeasured(fields);
    this.#chunked = !measured && this.#minor === 1;
    this.keep &&= mayKeep && (measured || this.#chunked);
    const connection = this.keep ? (this.#minor === 0 ? 'keep-alive' : undefined) : 'close';
    this.#peer.write(responseHead(this.#status, fields, { chunked: this.#chunked, connection }));
  }

  /** Returns false when the client is slower than the application. */
  body(octets: Buffer): boolean {
    // What follows a head without a body would be the next response.
    if (this.#bodiless) return true;
    this.sent += octets.length;
    return this.#peer.write(this.#chunked ? asChunk(octets) : octets);
  }

  end(trailers: readonly string[]): void {
    const { streams } = this.#peer;
    if (streams) streams.end(trailers);
    else if (this.#chunked) this.#peer.write(lastChunk);
  }
}

const isMeasured = (fields: readonly string[]) => fieldValue(fields, 'content-length') !== undefined;

function asChunk(octets: Buffer): Buffer {
  const out = Buffer.allocUnsafe(octets.length + 16);
  let to = writeChunkSize(out, 0, octets.length);
  to += octets.copy(out, to);
  return out.subarray(0, to + out.write('\r\n', to, 'latin1'));
}
