// The certificate and its key: read from files, checked as a pair before use, read again when they change.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { every, type Log } from '@outrigger/core';
import { errors } from './errors.ts';
import type { Tally } from './tally.ts';

export type CertificateFiles = { readonly certificateFile: string; readonly keyFile: string };
export type Pair = { readonly cert: Buffer; readonly key: Buffer };

/** What is wrong, and with which of the two files. */
export class CertificateProblem extends Error {
  readonly about: 'certificate' | 'key';

  constructor(about: 'certificate' | 'key', message: string) {
    super(message);
    this.name = 'CertificateProblem';
    this.about = about;
  }
}

export type Description = {
  readonly subject: string;
  readonly issuer: string;
  readonly serialNumber: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly subjectAlternativeNames: readonly string[];
  readonly fingerprint256: string;
};

export type Certificate = { readonly pair: Pair; readonly leaf: X509Certificate };

/** Reads both files; throws a CertificateProblem naming the file that is wrong. */
export async function readPair({ certificateFile, keyFile }: CertificateFiles): Promise<Pair> {
  const [cert, key] = await Promise.all([readPem('certificate', certificateFile), readPem('key', keyFile)]);
  return { cert, key };
}

async function readPem(about: 'certificate' | 'key', path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CertificateProblem(about, code === 'ENOENT' ? 'no such file' : message);
  }
}

/** Checks that the pair can be served; throws a CertificateProblem. */
export function examine(pair: Pair): Certificate {
  const leaf = attempt('certificate', 'holds no PEM certificate', () => new X509Certificate(pair.cert));
  // OpenSSL's own words may quote what it read, so they are not repeated for a key.
  const key = attempt('key', 'holds no PEM private key, or one with a passphrase', () => createPrivateKey(pair.key));
  if (!leaf.checkPrivateKey(key)) throw new CertificateProblem('key', 'is not the key of the certificate');
  attempt('certificate', 'cannot be used', () => createSecureContext({ ...pair, minVersion: 'TLSv1.2' }), true);
  return { pair, leaf };
}

function attempt<T>(about: 'certificate' | 'key', message: string, make: () => T, say = false): T {
  try {
    return make();
  } catch (error) {
    throw new CertificateProblem(about, say ? `${message}: ${(error as Error).message}` : message);
  }
}

export function describe({ leaf }: Certificate): Description {
  return {
    subject: oneLine(leaf.subject),
    issuer: oneLine(leaf.issuer),
    serialNumber: leaf.serialNumber,
    notBefore: leaf.validFromDate.toISOString(),
    notAfter: leaf.validToDate.toISOString(),
    subjectAlternativeNames: leaf.subjectAltName?.split(', ') ?? [],
    fingerprint256: leaf.fingerprint256,
  };
}

const oneLine = (name: string | undefined) => (name ?? '').split('\n').join(', ');

export type StoreOptions = {
  readonly files: CertificateFiles;
  readonly tally: Tally;
  readonly log: Log;
};

/** The pair in use. */
export class CertificateStore {
  readonly files: CertificateFiles;
  readonly #tally: Tally;
  readonly #log: Log;
  #current: Certificate;
  #refused: Pair | undefined;
  #complained = false;
  readonly #listeners: ((pair: Pair) => void)[] = [];

  constructor(first: Certificate, { files, tally, log }: StoreOptions) {
    this.#current = first;
    this.files = files;
    this.#tally = tally;
    this.#log = log;
    this.#measure();
  }

  get pair(): Pair {
    return this.#current.pair;
  }

  get description(): Description {
    return describe(this.#current);
  }

  onChange(listener: (pair: Pair) => void): void {
    this.#listeners.push(listener);
  }

  /** Why the certificate is no good any more, for /readyz. */
  expired(now = new Date()): string | undefined {
    const { validToDate } = this.#current.leaf;
    if (now < validToDate) return undefined;
    const { certificateFile: file } = this.files;
    return errors.PROXY_CERTIFICATE_EXPIRED({ file, notAfter: validToDate.toISOString() }).message;
  }

  /**
   * Compares the files with what is in use, from time to time until the signal aborts. Reading them is cheap and, unlike
   * watching, sees a plain write, a rename and a `..data` swap alike.
   */
  watch(period: () => number, signal: AbortSignal): Promise<void> {
    return every(period, signal, () => this.reload());
  }

  async reload(): Promise<void> {
    let pair: Pair | undefined;
    try {
      pair = await readPair(this.files);
      if (same(pair, this.pair)) {
        this.#refused = undefined;
        return;
      }
      this.#use(examine(pair));
    } catch (error) {
      if (!(error instanceof CertificateProblem)) throw error;
      this.#refuse(pair, error);
    }
  }

  #use(certificate: Certificate): void {
    this.#current = certificate;
    this.#refused = undefined;
    this.#complained = false;
    for (const listener of this.#listeners) listener(certificate.pair);
    this.#measure();
    this.#tally.metrics.certificateReloads.inc({ result: 'used' });
    const { subject, notAfter } = this.description;
    this.#log.info('The changed certificate is in use', { file: this.files.certificateFile, subject, notAfter });
  }

  // Certificate and key are often written one after the other: only what stays wrong for two looks is worth a word.
  #refuse(pair: Pair | undefined, problem: CertificateProblem): void {
    const stays = this.#refused !== undefined && same(pair ?? nothing, this.#refused);
    if (stays && !this.#complained) {
      const { certificateFile, keyFile } = this.files;
      const file = problem.about === 'key' ? keyFile : certificateFile;
      this.#log.warn(errors.PROXY_CERTIFICATE_REFUSED({ detail: `${file} ${problem.message}` }));
      this.#tally.metrics.certificateReloads.inc({ result: 'refused' });
    }
    this.#complained = stays;
    this.#refused = pair ?? nothing;
  }

  #measure(): void {
    this.#tally.metrics.certificateNotAfter.set(this.#current.leaf.validToDate.getTime() / 1000);
  }
}

const nothing: Pair = { cert: Buffer.alloc(0), key: Buffer.alloc(0) };
const same = (a: Pair, b: Pair) => a.cert.equals(b.cert) && a.key.equals(b.key);
