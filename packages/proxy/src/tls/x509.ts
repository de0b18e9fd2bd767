// The parts of a certificate that decide whom to let in, as octets: names are never split out of a text.

import type { X509Certificate } from 'node:crypto';
import { attributesOf, type Der, elementsOf, oidOf, onlyElement, tags } from './der.ts';

export type CertificateParts = {
  readonly subject: Der;
  /** SubjectPublicKeyInfo, as it is signed. */
  readonly spki: Buffer;
  /** In their order. */
  readonly alternativeNames: readonly Der[];
};

const version = 0xa0;
const extensions = 0xa3;
const subjectAlternativeName = '551d11';
const commonName = '550403';

/** Throws when the certificate is not plain DER. */
export function partsOf({ raw }: Pick<X509Certificate, 'raw'>): CertificateParts {
  const [signed] = elementsOf(onlyElement(raw));
  if (!signed) throw new Error('The certificate is empty');
  const fields = elementsOf(signed);
  if (fields[0]?.tag === version) fields.shift();
  // serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo
  const [subject, key] = fields.slice(4);
  if (!subject || !key) throw new Error('The certificate lacks a part');
  return {
    subject,
    spki: key.whole,
    alternativeNames: alternativeNamesOf(fields.find(({ tag }) => tag === extensions)),
  };
}

function alternativeNamesOf(wrapper: Der | undefined): Der[] {
  if (!wrapper) return [];
  const wanted = elementsOf(onlyElement(wrapper.content))
    .map(elementsOf)
    .filter(([oid]) => oid && oidOf(oid) === subjectAlternativeName);
  if (wanted.length > 1) throw new Error('The certificate has two sets of alternative names');
  const value = wanted[0]?.at(-1);
  return value ? elementsOf(onlyElement(value.content)) : [];
}

// Tags of GeneralName.
const dnsName = 0x82;
const uriName = 0x86;

const namesOf = (parts: CertificateParts, wanted: number): string[] =>
  parts.alternativeNames.filter(({ tag }) => tag === wanted).map(({ content }) => content.toString('latin1'));

export const dnsNamesOf = (parts: CertificateParts): string[] => namesOf(parts, dnsName);
export const urisOf = (parts: CertificateParts): string[] => namesOf(parts, uriName);

/** Undefined when there is none, or when there are two to choose from. */
export function commonNameOf({ subject }: CertificateParts): string | undefined {
  const names = attributesOf(subject).filter(({ oid }) => oid === commonName);
  return names.length === 1 ? names[0]?.value : undefined;
}

export const isSequence = (element: Der | undefined): element is Der => element?.tag === tags.sequence;
