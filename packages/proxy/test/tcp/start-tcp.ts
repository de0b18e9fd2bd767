// A proxy at layer 4, and clients of it that can reset what they began.

import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { dial, Raw } from '../raw.ts';
import { type ProxyOptions, type RunningProxy, startProxy } from '../start-proxy.ts';

export type RawClient = Raw & { reset(): void };

export type ListedConnection = { readonly client: string; readonly state: string; readonly unsentBytes: number };

export type RunningTcp = RunningProxy & {
  /** A client, over TLS where that is terminated. */
  dial(): Promise<RawClient>;
  /** The same, with something else sent before TLS. */
  dialAfter(preface: Buffer): Promise<RawClient>;
  connections(): Promise<readonly ListedConnection[]>;
};

/** @param options `upstream` as RawApplication gives it. */
export async function startTcp({ upstream, tls = false, flags = [] }: ProxyOptions): Promise<RunningTcp> {
  const proxy = await startProxy({
    upstream: upstream.replace(/^http:/, 'tcp:'),
    tls,
    flags: ['--mode', 'tcp', ...flags],
  });
  const dialAfter = (preface: Buffer) => (tls ? dialTls(proxy, preface) : dialPlain(proxy, preface));
  return {
    ...proxy,
    dial: () => dialAfter(Buffer.alloc(0)),
    dialAfter,
    connections: async () => (await (await proxy.sidecar.get('/v1/connections')).json()) as ListedConnection[],
  };
}

async function dialPlain({ port }: RunningProxy, preface: Buffer): Promise<RawClient> {
  const client = await dial(port);
  client.send(preface);
  return Object.assign(client, { reset: () => client.socket.resetAndDestroy() });
}

async function dialTls({ port, ca }: RunningProxy, preface: Buffer): Promise<RawClient> {
  const transport = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
  await once(transport, 'connect');
  transport.write(preface);
  const socket = connectTls({ socket: transport, ca, servername: 'localhost' });
  const client = new Raw(socket);
  await once(socket, 'secureConnect');
  return Object.assign(client, { reset: () => transport.resetAndDestroy() });
}
