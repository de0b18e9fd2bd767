// What is wrong with parameters taken together, said before start and by --check.

import type { Values } from '@outrigger/core';
import { type Endpoint, endpointOf, isLocal } from './endpoint.ts';
import type { parameters } from './parameters.ts';
import { upstreamsOf } from './routes/routes.ts';
import { checkTls } from './tls/check.ts';
import { proxyList } from './trusted-proxies.ts';

type Parameters = typeof parameters;
type Checked = {
  readonly parameters: Values<Parameters>;
  readonly problem: (parameter: keyof Parameters, message: string) => void;
};

export function check({ parameters, problem }: Checked): void {
  checkUpstream({ parameters, problem });
  checkTls(parameters, problem);
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
}

function checkUpstream({ parameters, problem }: Checked): void {
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
