// TLS towards clients: the certificates they are shown, the keys of their session tickets, and whom it lets in. All of it
// follows its files, while connections that are open keep what they have.

import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';
import { reasonOf } from '@outrigger/core';
import { type CertificateDescription, describe } from '@outrigger/core/tls-files';
import { type Allow, allowLists, compileAllow } from './allow.ts';
import { candidateOf, type Kind, kindOf } from './choice.ts';
import { type Contexts, contextFor, makeContexts } from './contexts.ts';
import { Follow, type LastError, type PairStore, type TlsContext, type TlsMetrics } from './follow.ts';
import { type ClientCertificate, clientCertificateOf, type TlsSettings } from './settings.ts';
import type { TrustFiles } from './trust.ts';
import { judge, type Verdict } from './verdict.ts';

export type { ClientIdentity } from './identity.ts';
export type { Verdict } from './verdict.ts';

export type ShownCertificate = CertificateDescription & {
  readonly file: string;
  /** Hosts; `*.example` is for one label. */
  readonly names: readonly string[];
  readonly kind: Kind;
  /** For clients to check us by, or for us to check them by. */
  readonly use: 'server' | 'clients';
  /** Why the file, as it is now, is not in use. */
  readonly problem?: string;
};

export type TerminationStatus = {
  readonly clientCertificate: ClientCertificate;
  /** Sessions that began before cannot be resumed. */
  readonly ticketKeysSince: string;
  /** When the first of the revocation lists has to be replaced. */
  readonly revocationListsUntil?: string;
  /** The last change of a file that was not taken into use. */
  readonly lastError?: LastError;
};

export type Termination = {
  /** The server's side of TLS on an accepted socket. Listen to `secure`, `error` and `close`. */
  wrap(raw: Socket): TLSSocket;
  /** After `secure`, before anything is read: who the client is, or why it is not let in. */
  judge(socket: TLSSocket): Verdict;
  /** Those in use, without keys. */
  readonly certificates: readonly ShownCertificate[];
  readonly status: TerminationStatus;
};

/** Undefined without a certificate: clients speak plain HTTP. */
export async function openTermination(
  context: TlsContext,
  { metrics }: { readonly metrics: TlsMetrics },
): Promise<Termination | undefined> {
  if (!context.parameters.tlsCertificateFile?.length) return undefined;
  const follow = new Follow(context, metrics);
  const pairs = await follow.openPairs();
  const trust = await follow.openTrust();
  return context.stack.use(new TlsTermination({ settings: context.parameters, pairs, trust, follow }), { name: 'TLS' });
}

type Parts = {
  /** Live. */
  readonly settings: TlsSettings;
  readonly pairs: readonly PairStore[];
  readonly trust: TrustFiles | undefined;
  readonly follow: Follow;
};

// As they are sent. A list of names would be made into this for every connection. Each socket keeps a copy, of a Buffer one
// in the 64 KiB that Buffer.from shares out: they would be kept whole for as long as the connection lasts.
const protocols = { http: new DataView(Uint8Array.from(Buffer.from('\x02h2\x08http/1.1')).buffer), tcp: undefined };

/** 24.8 days. Beyond that a timer of Node.js fires at once. */
const longestTimer = 2 ** 31 - 1;

class TlsTermination implements Termination, Disposable {
  readonly #parts: Parts;
  readonly #mode: ClientCertificate;
  #ticketKeys = randomBytes(48);
  #ticketKeysSince = new Date();
  #rotation: NodeJS.Timeout | undefined;
  #contexts: Contexts;
  /** Shared by all connections. */
  #options: TLSSocketOptions;
  #lists: readonly unknown[] = [];
  #allow: Allow;

  constructor(parts: Parts) {
    const { settings, pairs, trust } = parts;
    this.#parts = parts;
    this.#mode = clientCertificateOf(settings);
    this.#lists = listsOf(settings);
    this.#allow = compileAllow(settings);
    this.#contexts = this.#makeContexts();
    this.#options = this.#makeOptions();
    for (const { files, store } of pairs) store.onChange(() => this.#renew(files.certificateFile));
    // A session that was begun under the old authorities and lists must not outlive them.
    trust?.onChange(() => this.#renew(settings.clientCaFile, randomBytes(48)));
    this.#rotateLater();
  }

  wrap(raw: Socket): TLSSocket {
    const socket = new TLSSocket(raw, this.#options);
    // After the handshake a socket without a tls.Server hears of what breaks TLS in this way alone, and would stay open.
    return socket.on('_tlsError', destroyBroken);
  }

  judge(socket: TLSSocket): Verdict {
    if (this.#mode !== 'none') this.#followLists();
    return judge(socket, { mode: this.#mode, allow: this.#allow, trust: this.#parts.trust?.current });
  }

  /** The allow-lists are live parameters: looked at for each connection, compiled when they are others. */
  #followLists(): void {
    const { settings } = this.#parts;
    const lists = listsOf(settings);
    if (lists.every((list, at) => list === this.#lists[at])) return;
    this.#lists = lists;
    this.#allow = compileAllow(settings);
    this.#renew(settings.clientCaFile, randomBytes(48));
  }

  #makeContexts(ticketKeys = this.#ticketKeys): Contexts {
    const { settings, pairs, trust } = this.#parts;
    const shown = pairs.map(({ store: { current } }) => ({ tls: current, ...candidateOf(current) }));
    return makeContexts(shown, { minimumVersion: settings.tlsMinimumVersion, ticketKeys, trust: trust?.current });
  }

  #makeOptions(): TLSSocketOptions {
    const ALPNProtocols = protocols[this.#parts.settings.mode];
    const asked = this.#mode !== 'none';
    return {
      isServer: true,
      secureContext: this.#contexts.first,
      requestCert: asked,
      // Without a certificate OpenSSL ends the handshake; what is wrong with one is for `judge` to find.
      rejectUnauthorized: this.#mode === 'required',
      ...(ALPNProtocols && { ALPNProtocols }),
      // It costs each handshake a call from OpenSSL into JavaScript.
      ...(this.#contexts.byName && { SNICallback: this.#chooseContext }),
    };
  }

  readonly #chooseContext: NonNullable<TLSSocketOptions['SNICallback']> = (name, done) =>
    done(null, contextFor(this.#contexts, name));

  /** Takes what has changed into use for new connections; with new keys, sessions that began before are not resumed. */
  #renew(file: string | undefined, ticketKeys = this.#ticketKeys): void {
    try {
      this.#contexts = this.#makeContexts(ticketKeys);
    } catch (error) {
      this.#parts.follow.refused(file ?? '', `cannot be used: ${reasonOf(error)}`);
      return;
    }
    this.#options = this.#makeOptions();
    if (ticketKeys !== this.#ticketKeys) this.#ticketKeysSince = new Date();
    this.#ticketKeys = ticketKeys;
  }

  #rotateLater(): void {
    const { tlsTicketRotation, tlsCertificateFile } = this.#parts.settings;
    const rotate = () => {
      this.#renew(tlsCertificateFile?.[0], randomBytes(48));
      this.#rotateLater();
    };
    this.#rotation = setTimeout(rotate, Math.min(tlsTicketRotation, longestTimer)).unref();
  }

  get certificates(): ShownCertificate[] {
    const { pairs, trust, settings } = this.#parts;
    const problem = trust?.problem?.message;
    const authorities = (trust?.current.authorities ?? []).map((authority) => ({
      ...describe(authority),
      ...{ file: settings.clientCaFile ?? '', names: [], kind: kindOf(authority), use: 'clients' as const },
      ...(problem !== undefined && { problem }),
    }));
    return [...pairs.flatMap(shownOf), ...authorities];
  }

  get status(): TerminationStatus {
    const { trust, follow } = this.#parts;
    const until = trust?.current.nextUpdate;
    return {
      clientCertificate: this.#mode,
      ticketKeysSince: this.#ticketKeysSince.toISOString(),
      ...(until && { revocationListsUntil: until.toISOString() }),
      ...(follow.lastError && { lastError: follow.lastError }),
    };
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#rotation);
  }
}

const listsOf = (settings: TlsSettings): readonly unknown[] => allowLists.map((name) => settings[name]);

function destroyBroken(this: TLSSocket, error: Error): void {
  // During the handshake it is being destroyed already.
  if (!this.destroyed) this.destroy(error);
}

function shownOf({ files, store: { current, problem } }: PairStore): ShownCertificate[] {
  const { description } = current;
  if (!description) return [];
  const file = files.certificateFile;
  return [
    { ...description, file, ...candidateOf(current), use: 'server', ...(problem && { problem: problem.message }) },
  ];
}
