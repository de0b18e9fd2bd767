// Why a request got no answer, in words for a person; the original words follow as the cause.

const reasons: readonly (readonly [RegExp, string])[] = [
  [/^ECONNREFUSED$/, 'nobody listens there'],
  [/^ENOTFOUND$/, 'the name is not known'],
  [/^EAI_/, 'the name cannot be resolved at present'],
  [/^E(HOST|NET)(UNREACH|DOWN)$/, 'there is no way to it'],
  [/^ETIMEDOUT$/, 'the connection is dead'],
  [/^(ECONNRESET|EPIPE|ECONNABORTED)$/, 'the connection was closed before an answer came'],
  [/^E(MFILE|NFILE)$/, 'this process has too many open files'],
  [/^CERT_HAS_EXPIRED$/, 'its certificate has expired'],
  [/^CERT_NOT_YET_VALID$/, 'its certificate is not valid yet; is the clock right?'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'its certificate is for other names'],
  [
    /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED)/,
    'its certificate comes from an authority that is not trusted; name that in the caFile parameter',
  ],
  [/^(EPROTO|ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG)$/, 'it does not speak TLS there'],
  [/^ERR_SSL_.*ALERT/, 'it refuses the TLS handshake; it may ask for a client certificate, or for another one'],
  [/^HPE_/, 'what answers there does not speak HTTP'],
];

/** @param target says where, without what is secret. */
export function unanswered(target: string, error: unknown): Error {
  const { code = '' } = error as { code?: string };
  const [, words] = reasons.find(([pattern]) => pattern.test(code)) ?? [];
  return new Error(words === undefined ? target : `${target}: ${words}`, { cause: error });
}

/** Whether the other side had closed the connection before it can have seen the request. */
export const isHangUp = (error: unknown): boolean =>
  /^(ECONNRESET|EPIPE)$/.test((error as { code?: string }).code ?? '');
