// What is wrong with parameters taken together, said before start and by --check.

import { isDeepStrictEqual } from 'node:util';
import type { Parameter, Values } from '@outrigger/core';
import { type Endpoint, endpointOf, isLocal } from './endpoint.ts';
import { parameters as declared } from './parameters.ts';
import { upstreamsOf } from './routes/routes.ts';
import { checkTls } from './tls/check.ts';
import { proxyList } from './trusted-proxies.ts';

type Parameters = typeof declared;
type Checked = {
  readonly parameters: Values<Parameters>;
  readonly problem: (parameter: keyof Parameters, message: string) => void;
  readonly warning: (parameters: readonly (keyof Parameters)[], message: string) => void;
};

/** What only requests have. Rules, redirects and HSTS are not among them: to do without these would open a door. */
const ofRequests = [
  ...(['headLimit', 'bodyLimit', 'headTimeout', 'idleTimeout', 'bodyMinimumRate', 'upstreamIdleTimeout'] as const),
  ...(['upgrades', 'allowConnect', 'streamLimit', 'forwarded', 'redirectPort', 'traceparent'] as const),
  ...(['accessLog', 'strictness'] as const),
];

export function check({ parameters, problem, warning }: Checked): void {
  checkUpstream({ parameters, problem });
  checkTls(parameters, { problem, warning });
  const wrong = complaint(() => proxyList(parameters.trustedProxies));
  if (wrong) problem('trustedProxies', wrong);
  const { mode, redirectListenAddress, tlsCertificateFile, sendProxyProtocol, routes, hsts } = parameters;
  const https = mode === 'http' && tlsCertificateFile.length > 0;
  if (mode === 'http' && sendProxyProtocol !== 'off')
    problem('sendProxyProtocol', 'is for --mode tcp: connections of HTTP serve one client after the other');
  if (mode === 'tcp' && routes) problem('routes', 'is for --mode http: octets of other protocols have no paths');
  if (hsts !== undefined && !https)
    problem('hsts', 'needs --tls-certificate-file and --mode http: browsers believe it over https alone');
  if (redirectListenAddress && !https)
    problem(
      'redirectListenAddress',
      'needs --tls-certificate-file and --mode http, or there is no https to send anybody to',
    );
  if (mode === 'tcp') warnOfUnused({ parameters, warning });
}

function warnOfUnused({ parameters, warning }: Pick<Checked, 'parameters' | 'warning'>): void {
  const { acceptProxyProtocol } = parameters;
  const unused = acceptProxyProtocol ? ofRequests : [...ofRequests, 'trustedProxies' as const];
  const given = unused.filter((key) => !isDeepStrictEqual(parameters[key], byDefault(declared[key])));
  if (given.length > 0) warning(given, 'no effect with --mode tcp, which knows nothing of requests');
}

const byDefault = ({ default: written = [], parse, combine }: Parameter<unknown>) =>
  combine([written].flat().map(parse));

function checkUpstream({ parameters, problem }: Pick<Checked, 'parameters' | 'problem'>): void {
  const { upstream, routes, mode } = parameters;
  const wrong = complaint(() => judge(endpointOf(upstream), parameters));
  if (wrong) problem('upstream', wrong);
  const { protocol } = upstream;
  if (mode === 'tcp' ? protocol !== 'tcp:' && protocol !== 'unix:' : protocol === 'tcp:')
    problem('upstream', mode === 'tcp' ? 'tcp://host:port or unix:/path is expected' : 'tcp:// needs --mode tcp');
  for (const other of upstreamsOf(routes)) {
    const wrong = complaint(() => judge(endpointOf(new URL(other)), parameters));
    if (wrong) problem('routes', `"${other}": ${wrong}`);
  }
}

function judge(endpoint: Endpoint, { allowPlainUpstream }: Values<Parameters>): void {
  if (!allowPlainUpstream && !isLocal(endpoint))
    throw new Error('is on another host, and what goes there can be read on the way; --allow-plain-upstream allows it');
}

/** What it throws, in words. */
function complaint(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
