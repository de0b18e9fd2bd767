// A Fluent Forward receiver (Fluentd, Fluent Bit, Vector), PackedForward with acknowledgement.
//
// Of the library only its socket is used, one per connection: the client on top of it keeps an unbounded queue, gives up
// on a batch when its acknowledgement is late, and sends every attempt under another chunk id.

import { once } from 'node:events';
import { CloseState, FluentSocket } from '@fluent-org/logger/build/src/socket.js';
import { address, duration, text } from '@outrigger/core';
import type { Batch } from '../batch.ts';
import { encoded, msgpack } from '../encoding/msgpack.ts';
import { defineSink, delivered } from './sink.ts';

export const forward = defineSink({
  summary: 'A Fluent Forward receiver, such as Fluentd or Fluent Bit',
  parameters: {
    address: address({ reach: true, help: 'Where the receiver listens', example: '127.0.0.1:24224' }),
    tag: text({ default: 'outrigger', help: 'Tag of all records, by which receivers route' }),
    ackTimeout: duration({
      default: '30s',
      min: '10ms',
      help: 'For how long to wait for an acknowledgement before the batch is sent again over a new connection',
    }),
  },

  open({ address: { host, port }, tag, ackTimeout }) {
    let connection: FluentSocket | undefined;
    const drop = () => {
      connection?.close(CloseState.FATAL);
      connection = undefined;
    };
    return {
      encoding: msgpack,
      timeout: ackTimeout,
      async write(batch, signal) {
        // A receiver that closes an idle connection is not down.
        if (!connection?.writable()) {
          drop();
          connection = await connect({ host, port }, signal);
        }
        try {
          await send(connection, { batch, packet: pack(batch, tag), signal });
          return delivered;
        } catch (error) {
          // What a late acknowledgement would mean on this connection nobody can say.
          drop();
          throw error;
        }
      },
      close: drop,
    };
  },
});

/** Never reconnects by itself: whether and when to try again is not a sink's to say. Names are resolved anew each time. */
async function connect({ host, port }: { host: string; port: number }, signal: AbortSignal): Promise<FluentSocket> {
  const socket = new FluentSocket({ host, port, timeout: -1, disableReconnect: true });
  const established = once(socket, 'established', { signal });
  try {
    // Without the second, a failed first would leave it unhandled.
    await Promise.all([socket.connect(), established]);
    return socket;
  } catch (error) {
    socket.close(CloseState.FATAL);
    throw error;
  }
}

/** Resolves when the receiver acknowledges the batch; an acknowledgement of another one means nothing. */
function send(socket: FluentSocket, sending: { batch: Batch; packet: Buffer; signal: AbortSignal }): Promise<void> {
  const { batch, packet, signal } = sending;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAck = (id: string) => id === batch.id && resolve();
  const onClose = () => reject(new Error('the receiver closed the connection before it acknowledged'));
  const onAbort = () => reject(signal.reason);
  socket.on('ack', onAck).on('close', onClose).on('error', reject);
  signal.addEventListener('abort', onAbort);
  socket.write(packet).catch(reject);
  return promise.finally(() => {
    socket.off('ack', onAck).off('close', onClose).off('error', reject);
    signal.removeEventListener('abort', onAbort);
  });
}

/** [tag, entries, options] */
function pack(batch: Batch, tag: string): Buffer {
  const { id, bytes, records } = batch;
  const length = Buffer.of(0xc6, 0, 0, 0, 0);
  length.writeUInt32BE(bytes.length, 1);
  return batch.wrap(Buffer.concat([Buffer.of(0x93), encoded(tag), length]), encoded({ size: records, chunk: id }));
}
