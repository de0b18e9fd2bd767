// The map of the proxy: accept -> terminate TLS -> read head -> route -> pick an endpoint -> forward -> relay.

import { defineSidecar } from '@outrigger/core';
import manifest from '../package.json' with { type: 'json' };
import { type Listener, openListener, openRedirectListener } from './accept.ts';
import { AccessLog } from './access-log.ts';
import { routes } from './api.ts';
import { check } from './check.ts';
import { doctor } from './doctor/word.ts';
import { errors } from './errors.ts';
import { metrics } from './metrics.ts';
import { Outlet } from './outlet.ts';
import { parameters } from './parameters.ts';
import { Pools } from './pools.ts';
import { Routes } from './routes/routes.ts';
import { Tally } from './tally.ts';
import { openTermination, type Termination } from './tls/termination.ts';
import { Traffic } from './traffic.ts';

export type State = {
  readonly listener: Listener;
  /** Sends plain HTTP to https. */
  readonly redirects: Listener | undefined;
  readonly traffic: Traffic;
  readonly rules: Routes;
  readonly termination: Termination | undefined;
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
  words: { doctor },
  check,

  async start(context) {
    const { parameters, stack, log, events, leaving, memory } = context;
    const tally = new Tally(context.metrics);
    const outlet = new Outlet(process.stdout, {
      dropped: (lines) => tally.metrics.accessLogDropped.inc(lines),
      warn: (cause) => log.warn('Lines of the access log are dropped', { cause }),
    });
    const accessLog = stack.use(
      new AccessLog(
        () => parameters.accessLog,
        (lines, count) => outlet.write(lines, count),
        () => outlet.end(),
      ),
    );
    // Consumers first: nothing may be accepted before there is somewhere to send it.
    const idleTimeout = () => parameters.upstreamIdleTimeout;
    const pools = stack.use(
      new Pools({ upstream: parameters.upstream, idleTimeout, roomy: () => traffic.roomy, tally, log }),
    );
    const rules = stack.use(
      new Routes({
        events,
        file: () => parameters.routes,
        changed(change) {
          pools.keep(rules.upstreams);
          log.info('The changed rules are in use', change);
        },
      }),
    );
    const traffic = new Traffic({ parameters, tally, log, memory, pools, router: () => rules.router, accessLog });
    const termination = await openTermination(context, tally);
    leaving.addEventListener('abort', () => traffic.leave());
    const listener = stack.use(await openListener(traffic, termination));
    const redirects = await openRedirectListener(traffic, parameters.redirectPort ?? listener.address.port);
    if (redirects) stack.use(redirects);
    log.info('Accepting connections', {
      ...status({ listener, redirects, traffic, termination, rules }),
      connectionLimit: traffic.connectionLimit,
    });
    return { listener, redirects, traffic, rules, termination };
  },

  status,

  // No foreign series, but this is the moment to hand over what was counted without them.
  collect: ({ traffic }) => {
    const { openConnections, openUpstreamConnections } = traffic.tally.metrics;
    traffic.tally.flush();
    for (const [state, count] of Object.entries(traffic.counts)) openConnections.set({ state }, count);
    for (const [state, count] of Object.entries(upstreamCounts(traffic))) openUpstreamConnections.set({ state }, count);
    return [];
  },
});

/** Those of --mode tcp belong to one client each, and no pool knows of them. */
function upstreamCounts({ pools, counts, parameters }: Traffic) {
  return parameters.mode === 'tcp' ? { active: counts.active + counts.tunnel, idle: 0 } : pools.counts;
}

function status({ listener, redirects, traffic, termination, rules }: State) {
  const { pools, parameters } = traffic;
  return {
    listenAddress: String(listener.address),
    ...(redirects && { redirectListenAddress: String(redirects.address) }),
    protocol: parameters.mode === 'tcp' ? (termination ? 'tls' : 'tcp') : termination ? 'https' : 'http',
    upstream: { address: pools.main.name, connections: upstreamCounts(traffic) },
    connections: traffic.clients.size,
    rules: rules.file?.rules.length ?? 0,
    ...(termination && { tls: termination.status }),
  };
}
