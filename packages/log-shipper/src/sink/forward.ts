// A Fluent Forward receiver (Fluentd, Fluent Bit, Vector): a batch is a packet, and is delivered when the receiver has
// acknowledged it by its id, which is the same in every attempt.

import {
  address,
  choice,
  duration,
  type Log,
  list,
  ParameterProblem,
  path,
  secret,
  text,
  type Values,
} from '@outrigger/core';
import type { Encoding } from '../encoding/encoding.ts';
import { msgpack } from '../encoding/msgpack.ts';
import { kernelProblem } from '../transcode/kernel.ts';
import { type Engine, type EngineOptions, Packed } from './forward/packed.ts';
import { Suspicion } from './forward/suspicion.ts';
import { write } from './forward/write.ts';
import { defineSink } from './sink.ts';
import { type ClientTls, openTls, tlsParameters } from './stream/tls.ts';

/** Fluent Bit takes no more than 6,144,000 bytes, before and after decompression. */
const mostBytes = 4 * 1024 * 1024;

const parameters = {
  address: list(address, {
    default: [],
    reach: true,
    help: 'Where the receiver listens; of several the first that works is used, the others when it fails',
    example: '127.0.0.1:24224',
  }),
  socketPath: path({ optional: true, help: 'Unix socket that the receiver listens on, instead of an address' }),
  tag: text({ default: 'outrigger', help: 'Tag of records that have none of their own; receivers route by it' }),
  engine: choice(['packed', 'client'], {
    default: 'packed',
    help: 'How packets are made: packed by hand, or record by record by the reference client, which is slow',
  }),
  compress: choice(['none', 'gzip', 'zstd'], {
    default: 'none',
    help: 'How packets are compressed: gzip suits every receiver, zstd Fluent Bit and Fluentd from 1.19 on',
  }),
  sharedKey: secret({ optional: true, help: 'Key that the receiver shares with its clients' }),
  username: text({ optional: true, help: 'User, where the receiver asks for one beside the shared key' }),
  password: secret({ optional: true, help: 'Password of the user' }),
  ...tlsParameters,
  connectTimeout: duration({
    default: '5s',
    min: '10ms',
    help: 'For how long to wait for a connection to an address, handshakes included',
  }),
  ackTimeout: duration({
    default: '30s',
    min: '10ms',
    help: 'For how long to wait for an acknowledgement before the batch is sent again over a new connection',
  }),
  connectionAge: duration({
    default: '10m',
    min: '10ms',
    help: 'After how long a connection is replaced by a new one, which follows changed names and goes to the first address',
  }),
};

export const forward = defineSink({
  summary: 'A Fluent Forward receiver, such as Fluentd or Fluent Bit',
  parameters,

  async open(given, { log }) {
    const tls = await openTls(given, { log, prefix: 'sinkForward' });
    const engine = await openEngine({ given, tls, log });
    const suspicion = new Suspicion();
    return {
      encoding: excusing(log),
      limits: { bytes: mostBytes },
      write: (batch, signal) => write(batch, { engine, suspicion, signal, tag: given.tag }),
      async close() {
        await engine.close();
        await tls?.[Symbol.asyncDispose]();
      },
    };
  },
});

/** Says once that lines take the slow way, which shows when the first ones come. */
function excusing(log: Log): Encoding {
  let said = false;
  return (records) => {
    const write = msgpack(records);
    const reason = kernelProblem();
    if (reason !== undefined && !said) {
      said = true;
      log.warn('WebAssembly does not run here: lines are shipped all the same, at several times the cost', {
        reason,
      });
    }
    return write;
  };
}

type Given = Values<typeof parameters>;

async function openEngine({ given, tls }: { given: Given; tls: ClientTls | undefined; log: Log }): Promise<Engine> {
  if (given.address.length > 0 === (given.socketPath !== undefined))
    throw new ParameterProblem('sinkForwardAddress', 'either an address or a Unix socket of the receiver is expected');
  if (given.username !== undefined && !given.sharedKey)
    throw new ParameterProblem('sinkForwardUsername', 'is of use with a shared key only');
  if (given.username !== undefined && !given.password)
    throw new ParameterProblem('sinkForwardPassword', 'is needed with a user');
  if (given.password && given.username === undefined)
    throw new ParameterProblem('sinkForwardUsername', 'is needed with a password');
  const peers = given.socketPath === undefined ? given.address : [{ path: given.socketPath }];
  const options: EngineOptions = { ...given, peers, tls };
  if (given.engine === 'packed') return new Packed(options);
  if (given.compress === 'zstd') throw new ParameterProblem('sinkForwardCompress', 'zstd needs the engine packed');
  const { Client } = await import('./forward/client.ts');
  return new Client(options);
}
