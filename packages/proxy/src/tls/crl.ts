// Certificate revocation lists: read as far as needed to say what is wrong with one before it is taken into use. Whether
// a certificate is on a list is OpenSSL's work.

import { verify, type X509Certificate } from 'node:crypto';
import { elementsOf, nameKey, oidOf, onlyElement, readableName, tags, timeOf } from './der.ts';
import { isSequence, partsOf } from './x509.ts';

export type RevocationList = {
  /** As createSecureContext takes it: of several in one text it would read the first alone. */
  readonly pem: string;
  /** For people. */
  readonly issuer: string;
  /** Equal for equal issuers. */
  readonly key: string;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
  /** Whether the authority signed it; undefined when the algorithm is one that only OpenSSL knows. */
  readonly isSignedBy: (authority: X509Certificate) => boolean | undefined;
};

/** The lists of a PEM file. Throws when one cannot be read. */
export function readLists(pem: Buffer): RevocationList[] {
  const parts = pem.toString('latin1').split(/(?=-----BEGIN )/);
  const lists = parts.filter((part) => part.startsWith('-----BEGIN X509 CRL-----'));
  if (lists.length === 0) throw new Error('holds no PEM revocation list');
  return lists.map((part, at) => {
    const which = lists.length === 1 ? '' : `: ${at + 1} of ${lists.length}`;
    try {
      return readList(part);
    } catch (error) {
      throw new Error(`holds a revocation list that cannot be read${which}`, { cause: error });
    }
  });
}

// Identifiers of signature algorithms, as hexadecimal digits, with the hash and the kind of key that each of them uses.
const algorithms: Readonly<Record<string, { readonly hash: string | null; readonly key: string }>> = {
  '2a8648ce3d040302': { hash: 'sha256', key: 'ec' },
  '2a8648ce3d040303': { hash: 'sha384', key: 'ec' },
  '2a8648ce3d040304': { hash: 'sha512', key: 'ec' },
  '2a864886f70d01010b': { hash: 'sha256', key: 'rsa' },
  '2a864886f70d01010c': { hash: 'sha384', key: 'rsa' },
  '2a864886f70d01010d': { hash: 'sha512', key: 'rsa' },
  '2b6570': { hash: null, key: 'ed25519' },
};

function readList(part: string): RevocationList {
  const [, base64] = /^-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/.exec(part) ?? [];
  if (base64 === undefined) throw new Error('The text is cut off');
  const [signed, algorithm, signature] = elementsOf(onlyElement(Buffer.from(base64, 'base64')));
  if (!signed || !isSequence(algorithm) || !signature) throw new Error('A part is missing');
  const fields = elementsOf(signed);
  if (fields[0]?.tag === tags.integer) fields.shift();
  const [, issuer, thisUpdate, nextUpdate] = fields;
  if (!issuer || !thisUpdate) throw new Error('A part is missing');
  const isTime = nextUpdate?.tag === tags.utcTime || nextUpdate?.tag === tags.generalizedTime;
  const used = algorithms[oidOf(elementsOf(algorithm)[0]!)];
  return {
    pem: part,
    issuer: readableName(issuer),
    key: nameKey(issuer),
    thisUpdate: timeOf(thisUpdate),
    nextUpdate: isTime ? timeOf(nextUpdate) : undefined,
    // A bit string begins with the number of bits to leave out.
    isSignedBy({ publicKey }) {
      if (!used) return undefined;
      // With a key of another kind it is no signature at all, and `verify` would throw.
      if (publicKey.asymmetricKeyType !== used.key) return false;
      return verify(used.hash, signed.whole, publicKey, signature.content.subarray(1));
    },
  };
}

/** What is wrong with the lists for these authorities: OpenSSL would refuse whoever is concerned without saying so. */
export function problemOf(
  lists: readonly RevocationList[],
  authorities: readonly X509Certificate[],
): string | undefined {
  const known = authorities.map((authority) => {
    const { subject } = partsOf(authority);
    return { authority, key: nameKey(subject), name: readableName(subject) };
  });
  for (const list of lists) {
    const issuers = known.filter(({ key }) => key === list.key);
    if (issuers.length === 0) return `holds a list of "${list.issuer}", which is not among the authorities`;
    if (!issuers.some(({ authority }) => list.isSignedBy(authority) !== false))
      return `holds a list that "${list.issuer}" has not signed`;
  }
  const without = known.find(({ key }) => !lists.some((list) => list.key === key));
  return without && `holds no list of "${without.name}", whose certificates would all be refused`;
}

/** Why the newest list of some issuer is no good at that time. */
export function outOfDateList(lists: readonly RevocationList[], now: Date): string | undefined {
  const newest = new Map<string, RevocationList>();
  for (const list of lists) {
    const before = newest.get(list.key);
    if (!before || before.thisUpdate < list.thisUpdate) newest.set(list.key, list);
  }
  for (const { issuer, thisUpdate, nextUpdate } of newest.values()) {
    if (nextUpdate && now >= nextUpdate)
      return `holds a list of "${issuer}" that expired at ${nextUpdate.toISOString()}`;
    if (now < thisUpdate) return `holds a list of "${issuer}" that is not valid before ${thisUpdate.toISOString()}`;
  }
  return undefined;
}
