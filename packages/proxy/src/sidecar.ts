// The map of the proxy: accept -> terminate TLS -> read head -> route -> pick an endpoint -> forward -> relay.

import { defineSidecar } from '@outrigger/core';
import { readTls, type TlsFiles, type TlsProblem } from '@outrigger/core/tls-files';
import manifest from '../package.json' with { type: 'json' };
import { type Listener, openListener } from './accept.ts';
import { routes } from './api.ts';
import { filesOf, openCertificate, parameterOf } from './certificate.ts';
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
  readonly certificate: TlsFiles | undefined;
};

export const sidecar = defineSidecar({
  name: 'proxy',
  version: manifest.version,
  summary: 'Terminates HTTPS beside an application that speaks plain HTTP',
  port: 9401,
  parameters,
  metrics,
  errors,
  routes,

  check({ parameters, problem }) {
    try {
      endpointOf(parameters.upstream);
    } catch (error) {
      problem('upstream', (error as Error).message);
    }
    try {
      if (parameters.tlsCertificateFile || parameters.tlsKeyFile) readTls(filesOf(parameters));
    } catch (error) {
      problem(parameterOf(error as TlsProblem), (error as TlsProblem).message);
    }
  },

  async start(context) {
    const { parameters, stack, log, leaving, memory } = context;
    const tally = new Tally(context.metrics);
    // Consumers first: nothing may be accepted before there is somewhere to send it.
    const { address, name } = endpointOf(parameters.upstream);
    const idleTimeout = () => parameters.upstreamIdleTimeout;
    const pool = stack.use(new Pool({ address, name, idleTimeout, tally, log }));
    const traffic = new Traffic({ parameters, tally, log, memory, pool, route: routeAllTo(pool) });
    const certificate = await openCertificate(context, tally);
    leaving.addEventListener('abort', () => {
      traffic.leaving = true;
    });
    const listener = stack.use(await openListener(traffic, certificate));
    log.info('Accepting connections', {
      listenAddress: String(listener.address),
      protocol: certificate ? 'https' : 'http',
      upstream: name,
      connectionLimit: traffic.connectionLimit,
    });
    return { listener, traffic, certificate };
  },

  status: ({ listener, traffic, certificate }) => ({
    listenAddress: String(listener.address),
    protocol: certificate ? 'https' : 'http',
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
