// TLS material from files: a certificate with its chain and key, a bundle of authorities, or both. Checked before use, kept
// when the files become wrong, and rotated without a restart however they are written: one after the other, by a rename,
// by a swap of `..data`.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Fault } from './errors.ts';
import { readBounded, reasonOfFile } from './read-file.ts';
import type { Mode } from './watch/listen.ts';
import { openWatcher, type Watcher } from './watch/watcher.ts';

export type TlsFileNames = {
  /** PEM: the certificate, then its chain. Needs a key. */
  readonly certificateFile?: string | undefined;
  /** PEM, without a passphrase. */
  readonly keyFile?: string | undefined;
  /** PEM: the authorities that the other side's certificate must come from, instead of those Node.js knows. */
  readonly caFile?: string | undefined;
};

/** As tls.createSecureContext takes it. */
export type TlsMaterial = { readonly cert?: Buffer; readonly key?: Buffer; readonly ca?: Buffer };

/** What is wrong, and with which of the files. Never holds anything of what a key file holds. */
export class TlsProblem extends Error {
  readonly about: keyof TlsFileNames;

  constructor(about: keyof TlsFileNames, message: string) {
    super(message);
    this.name = 'TlsProblem';
    this.about = about;
  }
}

export type CertificateDescription = {
  readonly subject: string;
  readonly issuer: string;
  readonly serialNumber: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly subjectAlternativeNames: string[];
  readonly fingerprint256: string;
};

/** Material that was found usable. */
export class Tls {
  readonly material: TlsMaterial;
  readonly context: SecureContext;
  /** The first of the certificate file. */
  readonly certificate: X509Certificate | undefined;

  /** Throws a TlsProblem. */
  constructor(material: TlsMaterial) {
    const { cert, key, ca } = material;
    this.material = material;
    this.certificate = cert && certificatesOf('certificateFile', cert)[0];
    if (ca) certificatesOf('caFile', ca);
    if (key) {
      // OpenSSL's own words may quote what it read, so they are not repeated for a key.
      const wrong = () => new TlsProblem('keyFile', 'holds no PEM private key, or one with a passphrase');
      const parsed = attempt(wrong, () => createPrivateKey(key));
      if (!this.certificate?.checkPrivateKey(parsed))
        throw new TlsProblem('keyFile', 'is not the key of the certificate');
    }
    const about = cert ? 'certificateFile' : 'caFile';
    this.context = attempt(
      (said) => new TlsProblem(about, `cannot be used: ${said}`),
      () => createSecureContext(material),
    );
  }

  /** Undefined without a certificate, as are the others. */
  get notAfter(): Date | undefined {
    return this.certificate?.validToDate;
  }

  /** Why the certificate is no good at that time: `expired at 2027-01-01T00:00:00.000Z`, `is not valid before ...`. */
  outOfDate(now = new Date()): string | undefined {
    if (!this.certificate) return undefined;
    const { validFromDate, validToDate } = this.certificate;
    if (now >= validToDate) return `expired at ${validToDate.toISOString()}`;
    if (now < validFromDate) return `is not valid before ${validFromDate.toISOString()}`;
    return undefined;
  }

  get description(): CertificateDescription | undefined {
    return this.certificate && describe(this.certificate);
  }
}

const describe = (certificate: X509Certificate): CertificateDescription => ({
  subject: oneLine(certificate.subject),
  issuer: oneLine(certificate.issuer),
  serialNumber: certificate.serialNumber,
  notBefore: certificate.validFromDate.toISOString(),
  notAfter: certificate.validToDate.toISOString(),
  subjectAlternativeNames: certificate.subjectAltName?.split(', ') ?? [],
  fingerprint256: certificate.fingerprint256,
});

const oneLine = (name: string | undefined) => (name ?? '').split('\n').join(', ');

/** Every certificate of a PEM file. A bundle that is cut off would be taken for a shorter one by OpenSSL. */
function certificatesOf(about: keyof TlsFileNames, pem: Buffer): X509Certificate[] {
  const certificates = pem
    .toString('latin1')
    .split(/(?=-----BEGIN )/)
    .filter((part) => /^-----BEGIN ([A-Z0-9]+ )?CERTIFICATE-----/.test(part));
  if (certificates.length === 0) throw new TlsProblem(about, 'holds no PEM certificate');
  return certificates.map((part, at) => {
    const which = certificates.length === 1 ? '' : `${at + 1} of ${certificates.length}`;
    const wrong = () => new TlsProblem(about, `holds a certificate that cannot be read${which && `: ${which}`}`);
    return attempt(wrong, () => new X509Certificate(part));
  });
}

function attempt<T>(problem: (said: string) => TlsProblem, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw problem((error as Error).message);
  }
}

/** Reads and checks the files that are named. Throws a TlsProblem. */
export const readTls = (files: TlsFileNames): Tls => new Tls(readMaterial(files));

function readMaterial({ certificateFile, keyFile, caFile }: TlsFileNames): TlsMaterial {
  if (certificateFile && !keyFile) throw new TlsProblem('keyFile', 'is needed with a certificate');
  if (keyFile && !certificateFile) throw new TlsProblem('certificateFile', 'is needed with a key');
  return {
    ...(certificateFile && { cert: read('certificateFile', certificateFile) }),
    ...(keyFile && { key: read('keyFile', keyFile) }),
    ...(caFile && { ca: read('caFile', caFile) }),
  };
}

function read(about: keyof TlsFileNames, path: string): Buffer {
  try {
    return readBounded(path);
  } catch (error) {
    throw new TlsProblem(about, reasonOfFile(error as NodeJS.ErrnoException));
  }
}

const same = (a: TlsMaterial, b: TlsMaterial) =>
  (['cert', 'key', 'ca'] as const).every((each) => Buffer.compare(a[each] ?? none, b[each] ?? none) === 0);
const none = Buffer.alloc(0);

export type TlsFilesOptions = {
  readonly files: TlsFileNames;
  /** Milliseconds between two comparisons of the files with what is in use, should the kernel not tell of a change. */
  readonly reconcile?: number | (() => number);
  /** The files have been wrong for a moment, in this way; told once. What was in use before stays in use. */
  readonly refused?: (problem: TlsProblem) => void;
  readonly modeChanged?: (mode: Mode, fault?: Fault) => void;
};

/** Certificate and key are often written one after the other: only what stays wrong for so long is worth a word. */
const patience = 2000;

/** The newest material that was usable, in `current`. Throws a TlsProblem when the files are wrong to begin with. */
export class TlsFiles implements AsyncDisposable {
  readonly files: TlsFileNames;
  readonly #options: TlsFilesOptions;
  readonly #listeners: ((tls: Tls) => void)[] = [];
  #current: Tls;
  #watcher: Watcher | undefined;
  #refused: { readonly problem: TlsProblem; readonly since: number; told: boolean } | undefined;
  #again: NodeJS.Timeout | undefined;
  #closed = false;

  static async open(options: TlsFilesOptions): Promise<TlsFiles> {
    const files = new TlsFiles(options);
    const { certificateFile, keyFile, caFile } = options.files;
    files.#watcher = await openWatcher({
      paths: [certificateFile, keyFile, caFile].filter((file) => file !== undefined),
      ...(options.reconcile !== undefined && { reconcile: options.reconcile }),
      ...(options.modeChanged && { modeChanged: options.modeChanged }),
      // Not `changed`: a file that is gone, or a certificate that becomes valid, changes no content.
      looked: () => files.#reload(),
      changed: () => undefined,
    });
    return files;
  }

  private constructor(options: TlsFilesOptions) {
    this.#options = options;
    this.files = options.files;
    this.#current = readTls(options.files);
  }

  get current(): Tls {
    return this.#current;
  }

  /** Told once for each usable change. */
  onChange(listener: (tls: Tls) => void): void {
    this.#listeners.push(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#again);
    await this.#watcher?.[Symbol.asyncDispose]();
  }

  #reload(): void {
    if (this.#closed) return;
    clearTimeout(this.#again);
    try {
      const material = readMaterial(this.files);
      if (!same(material, this.#current.material)) this.#use(new Tls(material));
      this.#refused = undefined;
    } catch (error) {
      if (!(error instanceof TlsProblem)) throw error;
      this.#refuse(error);
    }
  }

  #use(tls: Tls): void {
    const outOfDate = tls.outOfDate();
    // One that nobody accepts takes the place of such a one only.
    if (outOfDate && !this.#current.outOfDate()) throw new TlsProblem('certificateFile', outOfDate);
    this.#current = tls;
    for (const listener of this.#listeners) listener(tls);
  }

  #refuse(problem: TlsProblem): void {
    const now = performance.now();
    const known = this.#refused?.problem;
    if (!this.#refused || known?.about !== problem.about || known.message !== problem.message)
      this.#refused = { problem, since: now, told: false };
    if (this.#refused.told) return;
    const left = this.#refused.since + patience - now;
    if (left > 0) {
      this.#again = setTimeout(() => this.#reload(), left);
    } else {
      this.#refused.told = true;
      this.#options.refused?.(problem);
    }
  }
}
