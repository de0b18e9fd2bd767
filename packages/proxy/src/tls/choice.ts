// Which certificates a client may be shown, by the name it asks for: those that name it, one of each kind of key, so that
// the client's own preference decides between ECDSA and RSA.

import type { X509Certificate } from 'node:crypto';
import { reasonOf } from '@outrigger/core';
import { type Tls, TlsProblem } from '@outrigger/core/tls-files';
import { commonNameOf, dnsNamesOf, partsOf } from './x509.ts';

export type Kind = 'ecdsa' | 'rsa' | 'ed25519' | 'other';

const kindsOfKeys: Readonly<Record<string, Kind>> = { ec: 'ecdsa', rsa: 'rsa', 'rsa-pss': 'rsa', ed25519: 'ed25519' };

export const kindOf = ({ publicKey }: X509Certificate): Kind =>
  kindsOfKeys[publicKey.asymmetricKeyType ?? ''] ?? 'other';

/** Names of hosts, in lower case; `*.example` is for one label. */
function namesOf(certificate: X509Certificate): string[] {
  const parts = partsOf(certificate);
  const names = dnsNamesOf(parts);
  const commonName = commonNameOf(parts);
  // As it was before there were alternative names.
  const all = names.length === 0 && parts.alternativeNames.length === 0 && commonName ? [commonName] : names;
  return all.map((name) => name.toLowerCase());
}

export type Candidate = { readonly names: readonly string[]; readonly kind: Kind };

/** Throws a TlsProblem. */
export function candidateOf({ certificate }: Tls): Candidate {
  if (!certificate) throw new TlsProblem('certificateFile', 'holds no PEM certificate');
  try {
    return { names: namesOf(certificate), kind: kindOf(certificate) };
  } catch (error) {
    throw new TlsProblem('certificateFile', `holds a certificate that cannot be read: ${reasonOf(error)}`);
  }
}

export type Choice<C> = {
  /** For a client that names nobody, or somebody unknown: the first, and those of other kinds that name all it names. */
  readonly fallback: readonly C[];
  readonly byName: ReadonlyMap<string, readonly C[]>;
};

export function makeChoice<C extends Candidate>(candidates: readonly C[]): Choice<C> {
  const [first] = candidates;
  const named = new Set(candidates.flatMap(({ names }) => names));
  const byName = new Map(
    [...named].map((name) => [name, oneOfEachKind(candidates.filter(({ names }) => names.includes(name)))]),
  );
  const covering = candidates.filter(({ names }) => first?.names.every((name) => names.includes(name)));
  return { fallback: oneOfEachKind(covering), byName };
}

const oneOfEachKind = <C extends Candidate>(candidates: readonly C[]): C[] =>
  candidates.filter(({ kind }, at) => candidates.findIndex((other) => other.kind === kind) === at);

/** Those for a name: exactly that, else with `*` for its first label. */
export function chosen<T>(byName: ReadonlyMap<string, T>, written: string): T | undefined {
  const name = written.toLowerCase();
  const dot = name.indexOf('.');
  return byName.get(name) ?? (dot > 0 ? byName.get(`*${name.slice(dot)}`) : undefined);
}

/** Candidates that no name leads to. */
export function neverChosen<C extends Candidate>(candidates: readonly C[]): C[] {
  const { fallback, byName } = makeChoice(candidates);
  const used = new Set([fallback, ...byName.values()].flat());
  return candidates.filter((candidate) => !used.has(candidate));
}
