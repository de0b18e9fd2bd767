// Certificates and revocation lists as they are met in the wild, and as nobody should make them: RSA beside ECDSA, any
// alternative names, any subject. Made with Node.js alone, as makeCertificate of core does.

import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export const der = (tag: number, ...contents: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size = Buffer.alloc(4);
  size.writeUInt32BE(length);
  const significant = size.subarray(size.findIndex((octet) => octet > 0));
  const header = length < 128 ? [length] : [0x80 | significant.length, ...significant];
  return Buffer.concat([Buffer.from([tag, ...header]), content]);
};
const sequence = (...contents: readonly Uint8Array[]) => der(0x30, ...contents);
const octets = (tag: number, value: string | Buffer) => der(tag, Buffer.from(value as string, 'utf8'));
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const number = (value: number) => der(0x02, Buffer.from(value < 0x80 ? [value] : [1, value >> 8, value & 0xff]));
const time = (date: Date | string) =>
  octets(0x18, typeof date === 'string' ? date : `${date.toISOString().replace(/[-:T]|\..*/g, '')}Z`);
const bits = (content: Uint8Array) => der(0x03, Buffer.from([0]), content);
const extension = (id: string, value: Uint8Array) => sequence(oid(id), der(0x04, value));
const pem = (label: string, content: Buffer) =>
  `-----BEGIN ${label}-----\n${content.toString('base64').replace(/.{64}/g, '$&\n').trimEnd()}\n-----END ${label}-----\n`;

const algorithms = {
  ecdsa: sequence(oid('2a8648ce3d040302')),
  rsa: sequence(oid('2a864886f70d01010b'), der(0x05)),
  ed25519: sequence(oid('2b6570')),
};
type KeyKind = keyof typeof algorithms;
const kindOf = ({ asymmetricKeyType }: KeyObject): KeyKind =>
  asymmetricKeyType === 'rsa' || asymmetricKeyType === 'ed25519' ? asymmetricKeyType : 'ecdsa';

export type Attribute = readonly [oid: 'CN' | 'O' | 'OU', value: string];
const attributes = { CN: '550403', O: '55040a', OU: '55040b' };
const nameOf = (subject: readonly Attribute[]) =>
  sequence(...subject.map(([type, value]) => der(0x31, sequence(oid(attributes[type]), octets(0x0c, value)))));

/** Any octets: a string is not checked, as who makes certificates may not check it either. */
export type AlternativeName = { readonly dns: string } | { readonly uri: string };

export type Issued = {
  readonly cert: string;
  readonly key: string;
  readonly privateKey: KeyObject;
  readonly subject: readonly Attribute[];
  readonly serial: number;
  /** SubjectPublicKeyInfo. */
  readonly spki: Buffer;
};

export type IssueOptions = {
  /** A common name, or all of the subject. */
  readonly name?: string | readonly Attribute[];
  readonly names?: readonly AlternativeName[];
  /** The alternative names twice, which OpenSSL does not mind. */
  readonly twice?: boolean;
  readonly kind?: KeyKind;
  readonly authority?: boolean;
  readonly issuer?: Issued;
  readonly notBefore?: Date;
  /** As a text also one that is none. */
  readonly notAfter?: Date | string;
  readonly key?: KeyObject;
};

let serials = 0x80;
export const day = 86_400_000;
export const inDays = (days: number) => new Date(Date.now() + days * day);

const alternativeNames = (names: readonly AlternativeName[]) =>
  extension(
    '551d11',
    sequence(...names.map((name) => ('dns' in name ? octets(0x82, name.dns) : octets(0x86, name.uri)))),
  );

const makeKey = (kind: KeyKind): KeyObject =>
  ({
    rsa: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ecdsa: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    ed25519: () => generateKeyPairSync('ed25519'),
  })[kind]().privateKey;

/** A certificate from an authority, or one that signs itself. */
export function issue({
  name = 'localhost',
  names = [],
  twice = false,
  kind = 'ecdsa',
  authority = false,
  issuer,
  notBefore = inDays(-30),
  notAfter = inDays(30),
  key = makeKey(kind),
}: IssueOptions = {}): Issued {
  const subject = typeof name === 'string' ? ([['CN', name]] as const) : name;
  const serial = serials++;
  const signer = issuer?.privateKey ?? key;
  const extensions = [
    ...(names.length > 0 ? Array<Buffer>(twice ? 2 : 1).fill(alternativeNames(names)) : []),
    ...(authority ? [extension('551d13', sequence(der(0x01, Buffer.from([0xff]))))] : []),
  ];
  const spki = publicKeyOf(key);
  const content = sequence(
    der(0xa0, number(2)),
    number(serial),
    algorithms[kindOf(signer)],
    nameOf(issuer?.subject ?? subject),
    sequence(time(notBefore), time(notAfter)),
    nameOf(subject),
    spki,
    ...(extensions.length > 0 ? [der(0xa3, sequence(...extensions))] : []),
  );
  return {
    cert: pem('CERTIFICATE', signed(content, signer)),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ...{ privateKey: key, subject, serial, spki },
  };
}

const publicKeyOf = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' });

const signed = (content: Buffer, key: KeyObject): Buffer =>
  sequence(content, algorithms[kindOf(key)], bits(sign(kindOf(key) === 'ed25519' ? null : 'sha256', content, key)));

export type RevokeOptions = {
  readonly revoked?: readonly Issued[];
  readonly thisUpdate?: Date;
  readonly nextUpdate?: Date | string;
  /** Who signs it instead of the authority. */
  readonly by?: Issued;
};

/** A revocation list of an authority. */
export function revoke(
  authority: Issued,
  { revoked = [], thisUpdate = inDays(-1), nextUpdate = inDays(7), by = authority }: RevokeOptions = {},
): string {
  const entries = revoked.map(({ serial }) => sequence(number(serial), time(inDays(-1))));
  const content = sequence(
    number(1),
    algorithms[kindOf(by.privateKey)],
    nameOf(authority.subject),
    time(thisUpdate),
    time(nextUpdate),
    ...(entries.length > 0 ? [sequence(...entries)] : []),
  );
  return pem('X509 CRL', signed(content, by.privateKey));
}
