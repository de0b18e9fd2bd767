// Who a client is, by its certificate, and the header lines that tell the application. A certificate may hold any octets
// in its names: none of them ends a line, opens a quote or passes for a second name.

import { createHash, type X509Certificate } from 'node:crypto';
import { commonNameOf, dnsNamesOf, partsOf, urisOf } from './x509.ts';

export type ClientIdentity = {
  /** RFC 2253, the common name first. */
  readonly subject: string;
  readonly issuer: string;
  readonly cn: string | undefined;
  /** Host names among the alternative names; what is no host name is left out. */
  readonly dns: readonly string[];
  /** URIs among the alternative names; what is no URI is left out. */
  readonly uri: readonly string[];
  /** How many alternative names claim to be URIs. */
  readonly uris: number;
  /** `sha256/` and Base64 of the hash of the public key. */
  readonly spki: string;
  readonly fingerprint256: string;
  readonly notAfter: Date;
  /** The same as header lines, made once per connection. */
  readonly lines: Buffer;
};

/** Names beyond these are left out of the header lines: an application would refuse a head of 100 KiB. */
const mostNames = 64;
const longestName = 512;

const hostName = /^[A-Za-z0-9_*.-]+$/;
// RFC 3986 without the comma, which separates, and without the quote.
const plainUri = /^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9:/?#[\]@!$&()*+;=._~%-]+$/;

/** Throws when the certificate is not plain DER. */
export function identify(certificate: X509Certificate): ClientIdentity {
  const parts = partsOf(certificate);
  const uris = urisOf(parts);
  const facts = {
    subject: distinguishedName(certificate.subject),
    issuer: distinguishedName(certificate.issuer),
    cn: commonNameOf(parts),
    dns: dnsNamesOf(parts).filter((name) => hostName.test(name)),
    uri: uris.filter((uri) => plainUri.test(uri)),
    uris: uris.length,
    spki: `sha256/${createHash('sha256').update(parts.spki).digest('base64')}`,
    fingerprint256: certificate.fingerprint256,
    notAfter: certificate.validToDate,
  };
  return { ...facts, lines: Buffer.from(linesOf(facts), 'latin1') };
}

/** Node.js writes one part a line, the outermost first, and escapes as RFC 2253 says. */
const distinguishedName = (lines: string | undefined): string => (lines ?? '').split('\n').reverse().join(',');

type Facts = Omit<ClientIdentity, 'lines'>;

function linesOf({ subject, cn, dns, uri, fingerprint256, notAfter }: Facts): string {
  const shown = { subject: printable(subject), dns: few(dns), uri: few(uri) };
  const hash = fingerprint256.replaceAll(':', '').toLowerCase();
  const values = {
    'X-Client-Cert-Subject': shown.subject,
    'X-Client-Cert-Cn': printable(cn ?? ''),
    'X-Client-Cert-Dns': shown.dns.join(','),
    'X-Client-Cert-Uri': shown.uri.join(','),
    'X-Client-Cert-Fingerprint': hash,
    'X-Client-Cert-Not-After': notAfter.toISOString(),
    'X-Forwarded-Client-Cert': forwarded(hash, shown),
  };
  return Object.entries(values)
    .map(([name, value]) => (value === '' ? '' : `${name}: ${value}\r\n`))
    .join('');
}

const few = (names: readonly string[]) => names.filter(({ length }) => length <= longestName).slice(0, mostNames);

/** As Envoy writes it; a value that could be read in two ways is quoted. */
function forwarded(hash: string, shown: { subject: string; dns: readonly string[]; uri: readonly string[] }): string {
  return [
    `Hash=${hash}`,
    // Always quoted. Two backslashes before the closing quote could be read as an escaped quote.
    `Subject="${shown.subject.replaceAll('\\\\', '%5C')}"`,
    ...shown.uri.map((uri) => `URI=${quoted(uri)}`),
    ...shown.dns.map((name) => `DNS=${name}`),
  ].join(';');
}

const quoted = (value: string) => (/[;=]/.test(value) ? `"${value}"` : value);

/** What is not printable ASCII is percent-encoded as UTF-8, as are `%` and spaces at an end: different names stay so. */
const printable = (text: string): string => {
  const encoded = text.replace(/[^ -$&-~]+|^ | $/gu, (odd) =>
    Buffer.from(odd).toString('hex').toUpperCase().replace(/../g, '%$&'),
  );
  return encoded.length > 2 * longestName ? '' : encoded;
};
