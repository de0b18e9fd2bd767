// A real proxy process with its own certificate, for tests that talk to it over sockets.

import {
  makeCertificate,
  metricOf,
  type RunningSidecar,
  scratch,
  startSidecar,
  until,
  writeCertificate,
} from '@outrigger/core/testing';

export type RunningProxy = AsyncDisposable & {
  readonly sidecar: RunningSidecar;
  /** Where clients connect. */
  readonly port: number;
  /** The certificate to trust, when TLS is on. */
  readonly ca: string;
  /** Value of a series of the proxy's own, 0 when there is none. */
  metric(series: string): Promise<number>;
  /** By how much a series grows while something is done. */
  growth(series: string, act: () => Promise<unknown>): Promise<number>;
  /** Resolves when no connection to the application is left, idle or in use. */
  settled(): Promise<void>;
};

export type ProxyOptions = { readonly upstream: string; readonly tls?: boolean; readonly flags?: readonly string[] };

type Status = { readonly upstream: { readonly connections: { readonly active: number; readonly idle: number } } };

export async function startProxy({ upstream, tls = false, flags = [] }: ProxyOptions): Promise<RunningProxy> {
  const directory = await scratch();
  const made = makeCertificate();
  const files = await writeCertificate(directory.path, made);
  const sidecar = await startSidecar(import.meta.resolve('../src/main.ts'), [
    ...['--listen-address', '127.0.0.1:0', '--upstream', upstream, '--log-level', 'debug'],
    ...(tls ? ['--tls-certificate-file', files.certificateFile, '--tls-key-file', files.keyFile] : []),
    ...flags,
  ]);
  const { listenAddress } = (await (await sidecar.get('/v1/status')).json()) as { listenAddress: string };
  const metric = (series: string) => metricOf(sidecar, `outrigger_proxy_${series}`);
  return {
    sidecar,
    port: Number(listenAddress.split(':').at(-1)),
    ca: made.cert,
    metric,
    async growth(series, act) {
      const before = await metric(series);
      await act();
      return (await metric(series)) - before;
    },
    async settled() {
      await until(async () => {
        const status = (await (await sidecar.get('/v1/status')).json()) as Status;
        return status.upstream.connections.active + status.upstream.connections.idle === 0;
      });
    },
    async [Symbol.asyncDispose]() {
      await sidecar[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}
