// The map of the proxy: accept -> terminate TLS -> read head -> route -> pick an endpoint -> forward -> relay.

import { type Context, defineSidecar } from '@outrigger/core';
import manifest from '../package.json' with { type: 'json' };
import { type Listener, openListener } from './accept.ts';
import { routes } from './api.ts';
import { type CertificateProblem, CertificateStore, examine, readPair } from './certificate.ts';
import { errors } from './errors.ts';
import { metrics } from './metrics.ts';
import { parameters } from './parameters.ts';
import { Pool } from './pool.ts';
import { endpointOf, routeAllTo } from './route.ts';
import { Tally } from './tally.ts';
import { Traffic } from './traffic.ts';

export type State = {
  readonly listener: Listener;
  readonly traffic: Traffic;
  readonly certificates: CertificateStore | undefined;
};

type Files = { readonly tlsCertificateFile: string | undefined; readonly tlsKeyFile: string | undefined };

export const sidecar = defineSidecar({
  name: 'proxy',
  version: manifest.version,
  summary: 'Terminates HTTPS beside an application that speaks plain HTTP',
  port: 9401,
  parameters,
  metrics,
  errors,
  routes,

  async check({ parameters, problem }) {
    try {
      endpointOf(parameters.upstream);
    } catch (error) {
      problem('upstream', (error as Error).message);
    }
    const { tlsCertificateFile: certificate, tlsKeyFile: key } = parameters;
    if (certificate && !key) problem('tlsKeyFile', 'is required with --tls-certificate-file');
    if (key && !certificate) problem('tlsCertificateFile', 'is required with --tls-key-file');
    await readCertificate(parameters).catch((error: CertificateProblem) =>
      problem(error.about === 'key' ? 'tlsKeyFile' : 'tlsCertificateFile', error.message),
    );
  },

  async start(context) {
    const { parameters, stack, log, leaving, memory } = context;
    const tally = new Tally(context.metrics);
    // Consumers first: nothing may be accepted before there is somewhere to send it.
    const { address, name } = endpointOf(parameters.upstream);
    const idleTimeout = () => parameters.upstreamIdleTimeout;
    const pool = stack.use(new Pool({ address, name, idleTimeout, tally, log }));
    const traffic = new Traffic({ parameters, tally, log, memory, pool, route: routeAllTo(pool) });
    const certificates = await openCertificates(context, tally);
    leaving.addEventListener('abort', () => {
      traffic.leaving = true;
    });
    const listener = stack.use(await openListener(traffic, certificates));
    log.info('Accepting connections', {
      listenAddress: String(listener.address),
      protocol: certificates ? 'https' : 'http',
      upstream: name,
      connectionLimit: traffic.connectionLimit,
    });
    return { listener, traffic, certificates };
  },

  status: ({ listener, traffic, certificates }) => ({
    listenAddress: String(listener.address),
    protocol: certificates ? 'https' : 'http',
    upstream: { address: traffic.pool.name, connections: traffic.pool.counts },
    connections: traffic.clients.size,
  }),

  // No foreign series, but this is the moment to hand over what was counted without them.
  collect: ({ traffic }) => {
    const { openConnections, openUpstreamConnections } = traffic.tally.metrics;
    traffic.tally.flush();
    for (const [state, count] of Object.entries(traffic.counts)) openConnections.set({ state }, count);
    for (const [state, count] of Object.entries(traffic.pool.counts)) openUpstreamConnections.set({ state }, count);
    return [];
  },
});

/** The certificate that both parameters name; undefined without them. */
async function readCertificate({ tlsCertificateFile, tlsKeyFile }: Files) {
  if (!tlsCertificateFile || !tlsKeyFile) return undefined;
  const files = { certificateFile: tlsCertificateFile, keyFile: tlsKeyFile };
  return { files, certificate: examine(await readPair(files)) };
}

async function openCertificates(
  { parameters, health, log, signal, fail }: Context<typeof import('./parameters.ts').parameters>,
  tally: Tally,
): Promise<CertificateStore | undefined> {
  const read = await readCertificate(parameters);
  if (!read) return undefined;
  const store = new CertificateStore(read.certificate, { files: read.files, tally, log });
  health.check('certificate', () => store.expired());
  store.watch(() => parameters.tlsReloadPeriod, signal).catch(fail);
  return store;
}
