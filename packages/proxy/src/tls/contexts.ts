// OpenSSL's contexts: everything about TLS that is the same for all connections is said here once.

import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Tls } from '@outrigger/core/tls-files';
import { type Candidate, chosen, makeChoice } from './choice.ts';
import type { Trust } from './trust.ts';

/** Authenticated encryption and forward secrecy, no other: what every client of this decade has. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** All of one tuple, so that OpenSSL takes what the client has sent a share of a key for, before asking for another. */
const groups = 'X25519MLKEM768:X25519:P-256:P-384';

/** Seconds that a client may resume a session; with new ticket keys it ends earlier. */
const sessionTimeout = 3600;

const { SSL_OP_NO_RENEGOTIATION, SSL_OP_PRIORITIZE_CHACHA } = constants;

const common = {
  ciphers,
  ecdhCurve: groups,
  sessionTimeout,
  // Needed for resumption with client certificates; all names share one policy for clients, so one will do.
  sessionIdContext: 'outrigger-proxy',
  // Clients without AES in hardware put ChaCha20 first and get it.
  honorCipherOrder: true,
  // A client that renegotiates could show another certificate after it was let in.
  secureOptions: SSL_OP_NO_RENEGOTIATION | SSL_OP_PRIORITIZE_CHACHA,
} as const;

export type Shown = Candidate & { readonly tls: Tls };

export type ContextOptions = {
  readonly minimumVersion: '1.2' | '1.3';
  /** 48 random octets. */
  readonly ticketKeys: Buffer;
  /** Whom client certificates have to come from. */
  readonly trust: Trust | undefined;
};

export type Contexts = {
  readonly first: SecureContext;
  /** Undefined when all names lead to the first. */
  readonly byName: ReadonlyMap<string, SecureContext> | undefined;
};

export function makeContexts(shown: readonly Shown[], options: ContextOptions): Contexts {
  const made = new Map<string, SecureContext>();
  const contextFor = (some: readonly Shown[]) => {
    const key = some.map((each) => shown.indexOf(each)).join();
    const context = made.get(key) ?? makeContext(some, options);
    made.set(key, context);
    return context;
  };
  const { fallback, byName } = makeChoice(shown);
  const first = contextFor(fallback);
  const contexts = new Map(Array.from(byName, ([name, some]) => [name, contextFor(some)]));
  return { first, byName: made.size > 1 ? contexts : undefined };
}

export const contextFor = ({ first, byName }: Contexts, name: string): SecureContext =>
  (byName && chosen(byName, name)) ?? first;

function makeContext(some: readonly Shown[], { minimumVersion, ticketKeys, trust }: ContextOptions): SecureContext {
  const materials = some.map(({ tls }) => tls.material);
  return createSecureContext({
    ...common,
    minVersion: `TLSv${minimumVersion}`,
    ticketKeys,
    cert: materials.flatMap(({ cert }) => cert ?? []),
    key: materials.flatMap(({ key }) => key ?? []),
    // Without client certificates none are to be trusted: not those that Node.js knows either.
    ca: trust ? trust.material.ca : [],
    // One of the authorities may be an intermediate whose own is not to be trusted. With lists the chain must have an end.
    allowPartialTrustChain: trust?.lists.length === 0,
    ...(trust && trust.lists.length > 0 && { crl: trust.lists.map(({ pem }) => pem) }),
  });
}
