// Who may change something: the holder of the token or, while there is none, this Pod itself. A browser that was lured
// here (DNS rebinding, cross-site requests) may not.

import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { Secret } from '../secret.ts';
import { problem } from './problem.ts';
import type { AdminRequest, Reply } from './router.ts';

const safe = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Refuses changing requests that may not be made. */
export const guard = (token: Secret | undefined) => (request: AdminRequest) =>
  safe.has(request.method) ? undefined : refuse(request, token);

function refuse({ headers, remoteAddress }: AdminRequest, token: Secret | undefined): Reply | undefined {
  const { host = '', origin } = headers;
  if (!isOwnHost(host, token !== undefined)) return problem(403, 'FOREIGN_HOST', `Host "${host}" is not this sidecar`);
  if (origin !== undefined && !isSameOrigin(origin, host))
    return problem(403, 'FOREIGN_ORIGIN', `Origin "${origin}" may not change this sidecar`);
  if (token) return authorize(headers.authorization, token);
  if (isLoopback(remoteAddress)) return undefined;
  return problem(403, 'LOOPBACK_ONLY', 'Changes are accepted from loopback only, or with --admin-token-file');
}

function authorize(authorization: string | undefined, token: Secret): Reply | undefined {
  const given = /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1];
  if (given !== undefined && sameSecret(given, token.read())) return undefined;
  const reply = problem(401, 'TOKEN', 'A valid bearer token is required');
  return { ...reply, headers: { ...reply.headers, 'www-authenticate': 'Bearer' } };
}

// Hashing first makes both sides equally long, so that the time says nothing about the length either.
const sameSecret = (a: string, b: string) => b !== '' && timingSafeEqual(digest(a), digest(b));
const digest = (text: string) => createHash('sha256').update(text).digest();

/** A literal address or localhost; a name could have been rebound, unless a token proves who asks. */
function isOwnHost(host: string, hasToken: boolean): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return hasToken ? name !== '' : name === 'localhost' || isIP(name) !== 0;
}

const isSameOrigin = (origin: string, host: string) => URL.canParse(origin) && new URL(origin).host === host;

const isLoopback = (remote: string | undefined) =>
  remote !== undefined && (remote === '::1' || remote.replace(/^::ffff:/, '').startsWith('127.'));
