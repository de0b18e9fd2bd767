// Who a client is, or why it is not let in: said for each connection once, also for one that resumes a session.

import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { reasonOf } from '@outrigger/core';
import { outOfDate } from '@outrigger/core/tls-files';
import type { Allow } from './allow.ts';
import { type ClientIdentity, identify } from './identity.ts';
import type { ClientCertificate } from './settings.ts';

export const refusalsOfClients = [
  'certificate_missing',
  'certificate_untrusted',
  'certificate_expired',
  'certificate_revoked',
  'certificate_not_allowed',
  'certificate_uri',
] as const;
export type CertificateRefusal = (typeof refusalsOfClients)[number];

export type Verdict = {
  readonly identity?: ClientIdentity;
  /** Stable: for logs and metrics. */
  readonly refusal?: CertificateRefusal;
  /** For people. */
  readonly detail?: string;
};

const reasons: Readonly<Record<string, CertificateRefusal>> = {
  CERT_HAS_EXPIRED: 'certificate_expired',
  CERT_NOT_YET_VALID: 'certificate_expired',
  CERT_REVOKED: 'certificate_revoked',
};

export type Policy = { readonly mode: ClientCertificate; readonly allow: Allow };

const anybody: Verdict = Object.freeze({});
const missing: Verdict = Object.freeze({ refusal: 'certificate_missing', detail: 'the client showed no certificate' });

export function judge(socket: TLSSocket, { mode, allow }: Policy): Verdict {
  if (mode === 'none') return anybody;
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return mode === 'required' ? missing : anybody;
  const code = verificationError(socket);
  if (code !== undefined) return { refusal: reasons[code] ?? 'certificate_untrusted', detail: code };
  // Verification is not repeated for a session that is resumed. Its own dates are looked at again; at those of authorities
  // and lists sessions end.
  const detail = outOfDate(certificate);
  if (detail) return { refusal: 'certificate_expired', detail };
  return judgeIdentity(certificate, allow);
}

function judgeIdentity(certificate: X509Certificate, allow: Allow): Verdict {
  let identity: ClientIdentity;
  try {
    identity = identify(certificate);
  } catch (error) {
    return { refusal: 'certificate_untrusted', detail: reasonOf(error) };
  }
  const refusal = allow(identity);
  return refusal ? { refusal, detail: identity.subject } : { identity };
}

type Handle = { readonly verifyError?: () => { readonly code?: string } | null };

/**
 * OpenSSL's verdict. Node.js hands it on to the connections of a tls.Server alone; here there is none, so it is asked for
 * where that asks. Whoever cannot be asked has not verified anything.
 */
function verificationError(socket: TLSSocket): string | undefined {
  const { ssl } = socket as TLSSocket & { readonly ssl?: Handle | null };
  if (typeof ssl?.verifyError !== 'function') return 'UNVERIFIED';
  const error = ssl.verifyError();
  return error ? (error.code ?? 'UNVERIFIED') : undefined;
}
