// Certificates for tests and benchmarks, self-signed or from an authority of the test's own, made without any program but Node: X.509 is little DER.

import { generateKeyPairSync, sign } from 'node:crypto';
import { writeFile } from 'node:fs/promises';

export type Made = { readonly name: string; readonly cert: string; readonly key: string };
export type CertificateOptions = {
  readonly name?: string;
  readonly hosts?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly serial?: number;
  /** May sign others. */
  readonly authority?: boolean;
  /** An authority; self-signed without. */
  readonly issuer?: Made;
};

const der = (tag: number, ...contents: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(contents);
  const { length } = content;
  const header = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...header]), content]);
};
const sequence = (...contents: readonly Uint8Array[]) => der(0x30, ...contents);
const text = (tag: number, value: string) => der(tag, Buffer.from(value));
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const time = (date: Date) => text(0x18, `${date.toISOString().replace(/[-:T]|\..*/g, '')}Z`);
const bits = (content: Uint8Array) => der(0x03, Buffer.from([0]), content);

const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
const nameOf = (name: string) => sequence(der(0x31, sequence(oid('550403'), text(0x0c, name))));

const extension = (id: string, ...value: readonly Uint8Array[]) => sequence(oid(id), der(0x04, sequence(...value)));

function alternativeNames(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) =>
    /^[\d.]+$/.test(host) ? der(0x87, Buffer.from(host.split('.').map(Number))) : text(0x82, host),
  );
  return extension('551d11', ...names);
}

/** An ECDSA P-256 certificate and its key, as PEM. */
export function makeCertificate({
  name = 'localhost',
  hosts = ['localhost', '127.0.0.1'],
  notAfter = new Date(Date.now() + 86_400_000),
  notBefore = new Date(Math.min(Date.now(), notAfter.getTime()) - 3_600_000),
  serial = 1,
  authority = false,
  issuer,
}: CertificateOptions = {}): Made {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const extensions = [
    alternativeNames(hosts),
    ...(authority ? [extension('551d13', der(0x01, Buffer.from([0xff])))] : []),
  ];
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([serial])),
    ecdsaWithSha256,
    nameOf(issuer?.name ?? name),
    sequence(time(notBefore), time(notAfter)),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const certificate = sequence(content, ecdsaWithSha256, bits(sign('sha256', content, issuer?.key ?? privateKey)));
  const lines = certificate.toString('base64').replace(/.{64}/g, '$&\n');
  return {
    name,
    cert: `-----BEGIN CERTIFICATE-----\n${lines.trimEnd()}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** Writes a pair to tls.crt and tls.key in a directory. */
export async function writeCertificate(directory: string, { cert, key }: Made = makeCertificate()) {
  const files = { certificateFile: `${directory}/tls.crt`, keyFile: `${directory}/tls.key` };
  await Promise.all([writeFile(files.certificateFile, cert), writeFile(files.keyFile, key, { mode: 0o600 })]);
  return files;
}
