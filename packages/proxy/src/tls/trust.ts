// Whom client certificates have to come from: the file of authorities and, with it, their revocation lists. Both are
// taken together or not at all.

import type { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { reasonOf } from '@outrigger/core';
import {
  type Checked,
  CheckedFiles,
  certificatesOf,
  type FollowOptions,
  outOfDate,
  readMaterialFile,
  TlsProblem,
} from '@outrigger/core/tls-files';
import { outOfDateList, problemOf, type RevocationList, readLists } from './crl.ts';
import { readableName } from './der.ts';
import { partsOf } from './x509.ts';

export type TrustFileNames = { readonly clientCaFile: string; readonly clientCrlFile: string | undefined };
type TrustFile = keyof TrustFileNames;
type Material = { readonly ca: Buffer; readonly crl?: Buffer | undefined };

export class Trust implements Checked<TrustFile> {
  readonly material: Material;
  readonly authorities: readonly X509Certificate[];
  readonly lists: readonly RevocationList[];

  /** Throws a TlsProblem. */
  constructor(material: Material) {
    this.material = material;
    this.authorities = certificatesOf('clientCaFile', material.ca);
    this.lists = material.crl ? listsOf(material.crl, this.authorities) : [];
    if (this.lists.length > 0) needIssuers(this.authorities);
    // What OpenSSL cannot use is found now, not when the old ones are to be let go.
    usable('clientCaFile', { ca: material.ca });
    usable('clientCrlFile', { ca: material.ca, crl: this.lists.map(({ pem }) => pem) });
  }

  get dated(): TrustFile {
    return this.lists.length > 0 && this.#authoritiesOutOfDate(new Date()) === undefined
      ? 'clientCrlFile'
      : 'clientCaFile';
  }

  /** OpenSSL lets nobody in whose authority's list is past its time, nor anybody at all once every authority is. */
  outOfDate(now = new Date()): string | undefined {
    return this.#authoritiesOutOfDate(now) ?? outOfDateList(this.lists, now);
  }

  #authoritiesOutOfDate(now: Date): string | undefined {
    const said = this.authorities.map((authority) => outOfDate(authority, now));
    return said.includes(undefined) ? undefined : said[0];
  }

  /** When the first authority expires. */
  get notAfter(): Date {
    return new Date(Math.min(...this.authorities.map(({ validToDate }) => validToDate.getTime())));
  }

  /** When, after that time, an authority or a list becomes valid or expires: OpenSSL may then judge clients otherwise. */
  nextDate(now: number): number {
    const dates = [
      ...this.authorities.flatMap(({ validFromDate, validToDate }) => [validFromDate, validToDate]),
      ...this.lists.flatMap(({ thisUpdate, nextUpdate }) => [thisUpdate, nextUpdate ?? thisUpdate]),
    ];
    return Math.min(...dates.map((date) => date.getTime()).filter((time) => time > now));
  }

  /** When the first list expires. */
  get nextUpdate(): Date | undefined {
    const times = this.lists.flatMap(({ nextUpdate }) => nextUpdate?.getTime() ?? []);
    return times.length > 0 ? new Date(Math.min(...times)) : undefined;
  }
}

function usable(about: TrustFile, options: SecureContextOptions): void {
  try {
    createSecureContext(options);
  } catch (error) {
    throw new TlsProblem<TrustFile>(about, `cannot be used: ${reasonOf(error)}`);
  }
}

/** With lists OpenSSL follows each chain to its end, and refuses whoever's has none. */
function needIssuers(authorities: readonly X509Certificate[]): void {
  const alone = authorities.find((authority) => !authorities.some((issuer) => authority.checkIssued(issuer)));
  if (!alone) return;
  const name = readableName(partsOf(alone).subject);
  const problem = `holds "${name}" without the authority that it comes from, which --client-crl-file needs`;
  throw new TlsProblem<TrustFile>('clientCaFile', problem);
}

function listsOf(crl: Buffer, authorities: readonly X509Certificate[]): RevocationList[] {
  let lists: RevocationList[];
  let problem: string | undefined;
  try {
    lists = readLists(crl);
    problem = problemOf(lists, authorities);
  } catch (error) {
    throw new TlsProblem<TrustFile>('clientCrlFile', reasonOf(error));
  }
  if (problem) throw new TlsProblem<TrustFile>('clientCrlFile', problem);
  return lists;
}

const readMaterial = ({ clientCaFile, clientCrlFile }: TrustFileNames): Material => ({
  ca: readMaterialFile('clientCaFile', clientCaFile),
  ...(clientCrlFile && { crl: readMaterialFile('clientCrlFile', clientCrlFile) }),
});

/** Reads and checks both. Throws a TlsProblem. */
export const readTrust = (files: TrustFileNames): Trust => new Trust(readMaterial(files));

export class TrustFiles extends CheckedFiles<TrustFile, Trust> {
  static async open(files: TrustFileNames, options: FollowOptions<TrustFile>): Promise<TrustFiles> {
    return await new TrustFiles(files, options).follow([files.clientCaFile, files.clientCrlFile]);
  }

  private constructor(files: TrustFileNames, options: FollowOptions<TrustFile>) {
    super({ read: () => readMaterial(files), check: (material) => new Trust(material as Material) }, options);
  }
}
