// The bodies of requests while they come, bounded each and all together.

import type { IncomingMessage } from 'node:http';
import { limits } from './limits.ts';
import { problem } from './problem.ts';
import type { Reply } from './router.ts';

/** A body that is not taken, and what its sender is told. */
export class BodyRefused extends Error {
  readonly reply: Reply;

  constructor(reply: Reply) {
    super('The body is not taken');
    this.name = 'BodyRefused';
    this.reply = reply;
  }
}

const tooLarge = problem(413, 'BODY_TOO_LARGE', `At most ${limits.bodyBytes} bytes are accepted`);
const tooMany = problem(503, 'TOO_MANY_BODIES', 'Too much is being sent at once', {}, { 'retry-after': '1' });

type Coming = { buffer: ArrayBuffer; length: number; readonly refuse: (reply: Reply) => void };

export class Bodies {
  // In the order in which they began.
  readonly #coming = new Set<Coming>();
  #length = 0;

  /**
   * The whole body as UTF-8. Rejects with BodyRefused, or with an Error when the client leaves.
   * @param invite tells a client that waits for it to send
   */
  read(incoming: IncomingMessage, invite: () => void): Promise<string> {
    if (Number(incoming.headers['content-length'] ?? 0) > limits.bodyBytes)
      return Promise.reject(new BodyRefused(tooLarge));
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const coming: Coming = { buffer: new ArrayBuffer(), length: 0, refuse };
    this.#coming.add(coming);
    const end = () => {
      incoming.off('data', take);
      if (!this.#coming.delete(coming)) return;
      this.#length -= coming.buffer.byteLength;
      // Given back now, not when garbage is collected.
      coming.buffer.transfer(0);
    };
    // Iterating and leaving early would destroy the connection, and with it the answer.
    const take = (chunk: Buffer) => this.#add(coming, chunk);
    function refuse(reply: Reply): void {
      end();
      incoming.pause();
      reject(new BodyRefused(reply));
    }
    incoming
      .on('data', take)
      .once('end', () => {
        resolve(Buffer.from(coming.buffer, 0, coming.length).toString());
        end();
      })
      .once('error', (error) => {
        end();
        reject(error);
      });
    invite();
    return promise;
  }

  // Copied, since a body may come in a million pieces, each of which keeps the whole read that it came with.
  #add(coming: Coming, chunk: Buffer): void {
    const length = coming.length + chunk.length;
    if (length > limits.bodyBytes) {
      coming.refuse(tooLarge);
      return;
    }
    const { byteLength } = coming.buffer;
    if (length > byteLength) {
      coming.buffer = coming.buffer.transfer(Math.max(length, Math.min(limits.bodyBytes, byteLength * 2)));
      this.#length += coming.buffer.byteLength - byteLength;
    }
    chunk.copy(new Uint8Array(coming.buffer, coming.length));
    coming.length = length;
    // Whoever has taken longest gives way: a body that stopped keeps none from being taken.
    for (const first of this.#coming) {
      if (this.#length <= limits.allBodyBytes) break;
      first.refuse(tooMany);
    }
  }
}
