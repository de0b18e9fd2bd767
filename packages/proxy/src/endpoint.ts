// Which endpoint a request goes to. There is one application behind this proxy, so all go to it.

import type { RequestHead } from './http/request-head.ts';
import type { Pool } from './pool.ts';
import type { UpstreamAddress } from './upstream.ts';

export type Route = (head: RequestHead) => Pool;

export const routeAllTo =
  (pool: Pool): Route =>
  () =>
    pool;

/** Where --upstream points and how it is written; throws an Error that says what is wrong with it. */
export function endpointOf(upstream: URL): { readonly address: UpstreamAddress; readonly name: string } {
  const { protocol, hostname, port, pathname, search, username } = upstream;
  if (protocol === 'unix:') {
    const path = decodeURIComponent(pathname);
    if (!path.startsWith('/')) throw new Error('unix:/path with an absolute path is expected');
    return { address: { path }, name: `unix:${path}` };
  }
  if (pathname !== '/' || search !== '' || username !== '')
    throw new Error('a URL of scheme, host and port alone is expected: requests keep their own path');
  const host = hostname.replace(/^\[|\]$/g, '');
  const number = Number(port || 80);
  return { address: { host, port: number }, name: `${hostname}:${number}` };
}
