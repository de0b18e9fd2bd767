// Who may change something: the holder of the token or, while there is none, this Pod itself. A browser that was lured
// here (DNS rebinding, cross-site requests) may not, nor may somebody elsewhere for whom a proxy of this Pod asks.

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
  const { host = '', origin, 'sec-fetch-site': site } = headers;
  if (!isOwnHost(host, token !== undefined)) return problem(403, 'FOREIGN_HOST', `Host "${host}" is not this sidecar`);
  if (origin !== undefined && !isSameOrigin(origin, host))
    return problem(403, 'FOREIGN_ORIGIN', `Origin "${origin}" may not change this sidecar`);
  // Browsers send it, pages cannot forge it. `same-site` is another port of this host.
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return problem(403, 'FOREIGN_ORIGIN', `A ${site} request may not change this sidecar`);
  if (token) return authorize(headers.authorization, token);
  if (!isLoopback(remoteAddress))
    return problem(403, 'LOOPBACK_ONLY', 'Changes are accepted from loopback only, or with --admin-token-file');
  if (relayHeaders.some((name) => headers[name] !== undefined))
    return problem(403, 'LOOPBACK_ONLY', 'Changes that a proxy passes on are accepted only with --admin-token-file');
  return undefined;
}

// A proxy in this Pod connects from loopback, whoever asked it. Most say so.
const relayHeaders = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'] as const;

function authorize(authorization: string | undefined, token: Secret): Reply | undefined {
  const given = /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1];
  if (given !== undefined && sameSecret(given, token.read())) return undefined;
  return problem(401, 'TOKEN', 'A valid bearer token is required', {}, { 'www-authenticate': 'Bearer' });
}

// Hashing first makes both sides equally long, so that the time says nothing about the length either.
const sameSecret = (a: string, b: string) => b !== '' && timingSafeEqual(digest(a), digest(b));
const digest = (text: string) => createHash('sha256').update(text).digest();

/** A literal address or localhost; a name could have been rebound, unless a token proves who asks. */
function isOwnHost(host: string, hasToken: boolean): boolean {
  const [, bracketed, plain = ''] = /^(?:\[([^\]]*)\]|([^:[\]@/\s]+))(?::\d{1,5})?$/.exec(host) ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6;
  return hasToken ? plain !== '' : plain.toLowerCase() === 'localhost' || isIP(plain) === 4;
}

const isSameOrigin = (origin: string, host: string) =>
  /^https?:/i.test(origin) && URL.canParse(origin) && new URL(origin).host === host.toLowerCase();

const isLoopback = (remote: string | undefined) =>
  remote !== undefined && (remote === '::1' || remote.replace(/^::ffff:/, '').startsWith('127.'));
