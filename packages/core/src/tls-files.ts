// TLS material from files: a certificate with its chain and key, a bundle of authorities, or both. Checked before use, kept
// when the files become wrong, and rotated without a restart however they are written: one after the other, by a rename,
// by a swap of `..data`.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { type Fault, reasonOf } from './errors.ts';
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
export class TlsProblem<N extends string = keyof TlsFileNames> extends Error {
  readonly about: N;

  constructor(about: N, message: string) {
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

/** What files were found to hold, and until when it is of use. */
export type Checked<N extends string> = {
  readonly material: Readonly<Record<string, Buffer | undefined>>;
  /** Why it is no good at that time; undefined when it is. */
  outOfDate(now?: Date): string | undefined;
  /** The file that has the dates. */
  readonly dated: N;
};

/** Material that was found usable. */
export class Tls implements Checked<keyof TlsFileNames> {
  readonly material: TlsMaterial;
  readonly context: SecureContext;
  /** The first of the certificate file. */
  readonly certificate: X509Certificate | undefined;
  readonly dated = 'certificateFile';

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
    return this.certificate && outOfDate(this.certificate, now);
  }

  get description(): CertificateDescription | undefined {
    return this.certificate && describe(this.certificate);
  }
}

/** Why a certificate is no good at that time. */
export function outOfDate({ validFromDate, validToDate }: X509Certificate, now = new Date()): string | undefined {
  if (now >= validToDate) return `expired at ${validToDate.toISOString()}`;
  if (now < validFromDate) return `is not valid before ${validFromDate.toISOString()}`;
  return undefined;
}

export const describe = (certificate: X509Certificate): CertificateDescription => ({
  subject: oneLine(certificate.subject),
  issuer: oneLine(certificate.issuer),
  serialNumber: certificate.serialNumber,
  notBefore: certificate.validFromDate.toISOString(),
  notAfter: certificate.validToDate.toISOString(),
  // A comma within a name is written as \u002c.
  subjectAlternativeNames: certificate.subjectAltName?.split(', ') ?? [],
  fingerprint256: certificate.fingerprint256,
});

const oneLine = (name: string | undefined) => (name ?? '').split('\n').join(', ');

/** Every certificate of a PEM file. A bundle that is cut off would be taken for a shorter one by OpenSSL. */
export function certificatesOf<N extends string>(about: N, pem: Buffer): X509Certificate[] {
  const certificates = pem
    .toString('latin1')
    .split(/(?=-----BEGIN )/)
    .filter((part) => /^-----BEGIN ([A-Z0-9]+ )?CERTIFICATE-----/.test(part));
  if (certificates.length === 0) throw new TlsProblem(about, 'holds no PEM certificate');
  return certificates.map((part, at) => {
    const which = certificates.length === 1 ? '' : `${at + 1} of ${certificates.length}`;
    const wrong = () => new TlsProblem(about, `holds a certificate that cannot be read${which && `: ${which}`}`);
    return attempt(wrong, () => withDates(new X509Certificate(part)));
  });
}

/** OpenSSL reads certificates whose dates are none, and of those Node.js makes any date at all: the text alone says so. */
function withDates(certificate: X509Certificate): X509Certificate {
  const dates = [certificate.validFrom, certificate.validTo];
  if (dates.some((date) => Number.isNaN(Date.parse(date)))) throw new Error('It has no dates');
  return certificate;
}

function attempt<T>(problem: (said: string) => Error, make: () => T): T {
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
    ...(certificateFile && { cert: readMaterialFile('certificateFile', certificateFile) }),
    ...(keyFile && { key: readMaterialFile('keyFile', keyFile) }),
    ...(caFile && { ca: readMaterialFile('caFile', caFile) }),
  };
}

/** A file of TLS material. Throws a TlsProblem. */
export function readMaterialFile<N extends string>(about: N, path: string): Buffer {
  try {
    return readBounded(path);
  } catch (error) {
    throw new TlsProblem(about, reasonOfFile(error as NodeJS.ErrnoException));
  }
}

type Material = Readonly<Record<string, Buffer | undefined>>;

const same = (a: Material, b: Material) =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].every(
    (each) => Buffer.compare(a[each] ?? none, b[each] ?? none) === 0,
  );
const none = Buffer.alloc(0);

export type FollowOptions<N extends string = keyof TlsFileNames> = {
  /** Milliseconds between two comparisons of the files with what is in use, should the kernel not tell of a change. */
  readonly reconcile?: number | (() => number);
  /** The files have been wrong for a moment, in this way; told once. What was in use before stays in use. */
  readonly refused?: (problem: TlsProblem<N>) => void;
  readonly modeChanged?: (mode: Mode, fault?: Fault) => void;
};

export type TlsFilesOptions = FollowOptions & { readonly files: TlsFileNames };

/** Certificate and key are often written one after the other: only what stays wrong for so long is worth a word. */
const patience = 2000;

type Refused<N extends string> = { readonly problem: TlsProblem<N>; readonly since: number; told: boolean };

/** How the files of one kind become material that was checked. Both throw a TlsProblem. */
export type TlsReading<N extends string, T extends Checked<N>> = {
  readonly read: () => T['material'];
  readonly check: (material: T['material']) => T;
};

/** The newest material that was usable, in `current`: for one kind of files. Throws when they are wrong to begin with. */
export class CheckedFiles<N extends string, T extends Checked<N>> implements AsyncDisposable {
  readonly #reading: TlsReading<N, T>;
  readonly #options: FollowOptions<N>;
  readonly #listeners: ((checked: T) => void)[] = [];
  #current: T;
  #watcher: Watcher | undefined;
  #refused: Refused<N> | undefined;
  #again: NodeJS.Timeout | undefined;
  #closed = false;

  protected constructor(reading: TlsReading<N, T>, options: FollowOptions<N>) {
    this.#reading = reading;
    this.#options = options;
    this.#current = reading.check(reading.read());
  }

  protected async follow(paths: readonly (string | undefined)[]): Promise<this> {
    const { reconcile, modeChanged } = this.#options;
    this.#watcher = await openWatcher({
      paths: paths.filter((path) => path !== undefined),
      ...(reconcile !== undefined && { reconcile }),
      ...(modeChanged && { modeChanged }),
      // Not `changed`: a file that is gone, or a certificate that becomes valid, changes no content.
      looked: () => this.#reload(),
      changed: () => undefined,
    });
    return this;
  }

  get current(): T {
    return this.#current;
  }

  /** What is wrong with the files as they are now, once it was told. */
  get problem(): TlsProblem<N> | undefined {
    return this.#refused?.told ? this.#refused.problem : undefined;
  }

  /** Told once for each usable change. */
  onChange(listener: (checked: T) => void): void {
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
      const material = this.#reading.read();
      if (!same(material, this.#current.material)) this.#use(this.#reading.check(material));
      this.#refused = undefined;
    } catch (error) {
      // Whatever it is: thrown on into the watcher it would end the process, and all its connections.
      const { dated } = this.#current;
      this.#refuse(error instanceof TlsProblem ? error : new TlsProblem(dated, `cannot be used: ${reasonOf(error)}`));
    }
  }

  #use(checked: T): void {
    const wrong = checked.outOfDate();
    // One that nobody accepts takes the place of such a one only.
    if (wrong && !this.#current.outOfDate()) throw new TlsProblem(checked.dated, wrong);
    this.#current = checked;
    for (const listener of this.#listeners) listener(checked);
  }

  #refuse(problem: TlsProblem<N>): void {
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

/** A certificate with its key, authorities, or both. */
export class TlsFiles extends CheckedFiles<keyof TlsFileNames, Tls> {
  readonly files: TlsFileNames;

  static async open(options: TlsFilesOptions): Promise<TlsFiles> {
    const { certificateFile, keyFile, caFile } = options.files;
    return await new TlsFiles(options).follow([certificateFile, keyFile, caFile]);
  }

  private constructor({ files, ...options }: TlsFilesOptions) {
    super({ read: () => readMaterial(files), check: (material) => new Tls(material) }, options);
    this.files = files;
  }
}
