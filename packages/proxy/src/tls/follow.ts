// The files of TLS: followed while they change, and what is said of them in the log, in metrics and to probes.

import type { Context, Events, Fault } from '@outrigger/core';
import type { TlsProblem } from '@outrigger/core/tls-files';
import { watchLog } from '@outrigger/core/watch';
import { errors } from '../errors.ts';
import { Pair } from './pair.ts';
import { clientCertificateOf, type PairFiles, pairFilesOf, type TlsSettings } from './settings.ts';
import { type TrustFileNames, TrustFiles } from './trust.ts';

export type TlsContext = { readonly parameters: TlsSettings } & Pick<Context<never>, 'health' | 'log' | 'stack'> & {
    readonly events: Pick<Events, 'listen'>;
  };

type OfFile = { set(labels: { readonly file: string }, seconds: number): void };

export type TlsMetrics = {
  readonly certificateNotAfter: OfFile;
  readonly crlNextUpdate: OfFile;
  readonly certificateReloads: { inc(labels: { readonly result: 'used' | 'refused' }): void };
};

export type LastError = { readonly file: string; readonly detail: string; readonly at: string };

export type PairStore = {
  readonly files: PairFiles;
  readonly store: Pair;
  /** Says that what has changed is in use. */
  used(): void;
};

export type TrustStore = { readonly files: TrustFileNames; readonly store: TrustFiles; used(): void };

export class Follow {
  readonly #context: TlsContext;
  readonly #metrics: TlsMetrics;
  readonly #modeChanged: ReturnType<typeof watchLog>['modeChanged'];
  #neverShown = new Set<string>();
  lastError: LastError | undefined;

  constructor(context: TlsContext, metrics: TlsMetrics) {
    this.#context = context;
    this.#metrics = metrics;
    this.#modeChanged = watchLog(context.log).modeChanged;
  }

  /** A change of a file is not taken into use. */
  refused(file: string, detail: string): void {
    this.lastError = { file, detail, at: new Date().toISOString() };
    this.#metrics.certificateReloads.inc({ result: 'refused' });
    this.#context.log.warn(errors.PROXY_CERTIFICATE_REFUSED({ detail: `${file} ${detail}` }));
  }

  #used(message: string, fields: object): void {
    this.#metrics.certificateReloads.inc({ result: 'used' });
    this.#context.log.info(message, { ...fields });
  }

  /** Certificates in these files are in use, and no name leads to them any more. */
  neverShown(files: readonly string[]): void {
    for (const file of files)
      if (!this.#neverShown.has(file))
        this.#context.log.warn(
          'The changed certificates leave one that is never shown: others have its names and kind of key',
          { file },
        );
    this.#neverShown = new Set(files);
  }

  /** Allow-lists that had entries have none now. */
  emptied(lists: readonly (keyof TlsSettings)[], all: boolean): void {
    const now = all ? 'every certificate of the authorities is let in' : 'the other lists decide';
    this.#context.log.warn(`Lists of clients that are let in have become empty, and ${now}`, { lists });
  }

  #options<N extends string>(fileOf: (about: N) => string) {
    return {
      reconcile: () => this.#context.parameters.tlsReloadPeriod,
      modeChanged: this.#modeChanged,
      refused: ({ about, message }: TlsProblem<N>) => this.refused(fileOf(about), message),
    };
  }

  /** In their order. */
  async openPairs(): Promise<PairStore[]> {
    const pairs: PairStore[] = [];
    for (const files of pairFilesOf(this.#context.parameters)) pairs.push(await this.#openPair(files));
    this.#context.health.check('certificate', () =>
      firstOf(pairs, ({ files, store }) => {
        const detail = store.current.outOfDate();
        return detail && errors.PROXY_CERTIFICATE_EXPIRED({ file: files.certificateFile, detail }).message;
      }),
    );
    return pairs;
  }

  async #openPair(files: PairFiles): Promise<PairStore> {
    const file = files.certificateFile;
    const options = this.#options((about: 'certificateFile' | 'keyFile' | 'caFile') =>
      about === 'keyFile' ? files.keyFile : file,
    );
    const store = this.#context.stack.use(await Pair.open(files, options), { name: `certificate ${file}` });
    const measure = () => this.#measure(file, store.current.notAfter);
    measure();
    const used = () => {
      measure();
      const { subject, notAfter } = store.current.description ?? {};
      this.#used('The changed certificate is in use', { file, subject, notAfter });
    };
    return { files, store, used };
  }

  #measure(file: string, notAfter: Date | undefined): void {
    if (notAfter) this.#metrics.certificateNotAfter.set({ file }, notAfter.getTime() / 1000);
  }

  /** Undefined when clients are not asked for certificates. */
  async openTrust(): Promise<TrustStore | undefined> {
    const { parameters, stack, health } = this.#context;
    const { clientCaFile, clientCrlFile } = parameters;
    const mode = clientCertificateOf(parameters);
    if (clientCaFile === undefined || mode === 'none') return undefined;
    const files = { clientCaFile, clientCrlFile };
    const options = this.#options((about: keyof typeof files) => files[about] ?? '');
    const store = stack.use(await TrustFiles.open(files, options), { name: 'client authorities' });
    this.#sayTrust(store, files);
    const used = () => {
      const { nextUpdate } = store.current;
      this.#used('The changed authorities of client certificates are in use', { ...files, nextUpdate });
      this.#sayTrust(store, files);
    };
    // Where clients may do without a certificate, most are served as before: it is no reason to send all of them away.
    if (mode === 'required') health.check('client authorities', () => outdated(store, files)?.message);
    return { files, store, used };
  }

  #sayTrust(store: TrustFiles, files: TrustFileNames): void {
    const { notAfter, nextUpdate } = store.current;
    this.#measure(files.clientCaFile, notAfter);
    const file = files.clientCrlFile;
    if (nextUpdate && file !== undefined) this.#metrics.crlNextUpdate.set({ file }, nextUpdate.getTime() / 1000);
    const fault = outdated(store, files);
    if (fault) this.#context.log.warn(fault);
  }
}

function outdated({ current }: TrustFiles, files: TrustFileNames): Fault | undefined {
  const detail = current.outOfDate();
  const { dated } = current;
  const make = dated === 'clientCrlFile' ? errors.PROXY_CRL_EXPIRED : errors.PROXY_CERTIFICATE_EXPIRED;
  return detail === undefined ? undefined : make({ file: files[dated], detail });
}

function firstOf<T>(some: readonly T[], ask: (each: T) => string | undefined): string | undefined {
  for (const each of some) {
    const said = ask(each);
    if (said) return said;
  }
  return undefined;
}
