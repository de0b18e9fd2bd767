// TLS towards clients: the certificates they are shown, the keys of their session tickets, and whom it lets in. All of it
// follows its files, while connections that are open keep what they have.

import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';
import { reasonOf } from '@outrigger/core';
import { type CertificateDescription, describe } from '@outrigger/core/tls-files';
import { LiveAllow } from './allow.ts';
import { candidateOf, type Kind, kindOf, neverChosen } from './choice.ts';
import { type Contexts, contextFor, makeContexts } from './contexts.ts';
import { Follow, type LastError, type PairStore, type TlsContext, type TlsMetrics, type TrustStore } from './follow.ts';
import { type ClientCertificate, clientCertificateOf, type TlsSettings } from './settings.ts';
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
  wrap(raw: Socket, name?: string): TLSSocket;
  /** Certificates differ by name, so `wrap` should be told the one that the client asks for. */
  readonly choosesByName: boolean;
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
  const { parameters: settings, events } = context;
  return context.stack.use(new TlsTermination({ settings, events, pairs, trust, follow }), { name: 'TLS' });
}

type Parts = {
  /** Live. */
  readonly settings: TlsSettings;
  /** Tell when the parameters were read again. */
  readonly events: TlsContext['events'];
  readonly pairs: readonly PairStore[];
  readonly trust: TrustStore | undefined;
  readonly follow: Follow;
};

// As they are sent. A list of names would be made into this for every connection. Each socket keeps a copy, of a Buffer one
// in the 64 KiB that Buffer.from shares out: they would be kept whole for as long as the connection lasts.
const protocols = { http: new DataView(Uint8Array.from(Buffer.from('\x02h2\x08http/1.1')).buffer), tcp: undefined };

/** Milliseconds until new ticket keys are tried again: not for every connection. */
const pause = 10_000;

class TlsTermination implements Termination, Disposable {
  readonly #parts: Parts;
  readonly #mode: ClientCertificate;
  readonly #allow: LiveAllow;
  readonly #stopListening: () => void;
  #ticketKeys = randomBytes(48);
  #ticketKeysSince = Date.now();
  /** When OpenSSL would judge some client otherwise than it did since the ticket keys are in use. */
  #verdictsUntil: number;
  /** On the monotonic clock. */
  #pausedUntil = 0;
  #contexts: Contexts;
  /** Shared by all connections. */
  #options: TLSSocketOptions;

  constructor(parts: Parts) {
    const { settings, events, pairs, trust, follow } = parts;
    this.#parts = parts;
    this.#mode = clientCertificateOf(settings);
    this.#allow = new LiveAllow(settings, (names, all) => follow.emptied(names, all));
    this.#stopListening = events.listen(() => this.#allow.look());
    this.#contexts = this.#makeContexts(this.#ticketKeys);
    this.#options = this.#makeOptions();
    this.#verdictsUntil = this.#nextDate(this.#ticketKeysSince);
    for (const pair of pairs) pair.store.onChange(() => this.#pairChanged(pair));
    // A session that was begun under the old authorities and lists must not outlive them.
    trust?.store.onChange(() => this.#renew(trust.files.clientCaFile, randomBytes(48)) && trust.used());
  }

  get choosesByName(): boolean {
    return this.#contexts.byName !== undefined;
  }

  wrap(raw: Socket, name?: string): TLSSocket {
    if (this.#isTime(Date.now())) this.#renewKeys();
    const secureContext = name === undefined ? this.#contexts.first : contextFor(this.#contexts, name);
    const own = secureContext === this.#contexts.first;
    const socket = new TLSSocket(raw, own ? this.#options : { ...this.#options, secureContext });
    // After the handshake a socket without a tls.Server hears of what breaks TLS in this way alone, and would stay open.
    return socket.on('_tlsError', destroyBroken);
  }

  judge(socket: TLSSocket): Verdict {
    return judge(socket, { mode: this.#mode, allow: this.#allow.look() });
  }

  /**
   * Whether sessions that were begun may not be resumed any longer, since a client is not verified again when it resumes
   * one. Asked for each handshake: a timer would have to follow the parameter, and whoever sets the clock.
   */
  #isTime(now: number): boolean {
    const age = now - this.#ticketKeysSince;
    return now >= this.#verdictsUntil || age >= this.#parts.settings.tlsTicketRotation || age < 0;
  }

  #renewKeys(): void {
    if (performance.now() < this.#pausedUntil) return;
    const renewed = this.#renew(this.#parts.settings.tlsCertificateFile?.[0] ?? '', randomBytes(48));
    if (!renewed) this.#pausedUntil = performance.now() + pause;
  }

  #nextDate(now: number): number {
    return this.#parts.trust?.store.current.nextDate(now) ?? Number.POSITIVE_INFINITY;
  }

  #pairChanged(pair: PairStore): void {
    if (!this.#renew(pair.files.certificateFile)) return;
    pair.used();
    this.#parts.follow.neverShown(neverChosen(this.#shown).map(({ file }) => file));
  }

  get #shown() {
    return this.#parts.pairs.map(({ files, store: { current } }) => ({
      ...candidateOf(current),
      tls: current,
      file: files.certificateFile,
    }));
  }

  #makeContexts(ticketKeys: Buffer): Contexts {
    const { settings, trust } = this.#parts;
    const minimumVersion = settings.tlsMinimumVersion;
    return makeContexts(this.#shown, { minimumVersion, ticketKeys, trust: trust?.store.current });
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
    };
  }

  /**
   * Takes what has changed into use for new connections; with new keys, sessions that began before are not resumed. False
   * when it cannot be used.
   */
  #renew(file: string, ticketKeys = this.#ticketKeys): boolean {
    const now = Date.now();
    try {
      this.#contexts = this.#makeContexts(ticketKeys);
    } catch (error) {
      this.#parts.follow.refused(file, `cannot be used: ${reasonOf(error)}`);
      return false;
    }
    this.#options = this.#makeOptions();
    if (ticketKeys === this.#ticketKeys) return true;
    this.#ticketKeys = ticketKeys;
    this.#ticketKeysSince = now;
    this.#verdictsUntil = this.#nextDate(now);
    return true;
  }

  get certificates(): ShownCertificate[] {
    const { pairs, trust, settings } = this.#parts;
    const problem = trust?.store.problem?.message;
    const authorities = (trust?.store.current.authorities ?? []).map((authority) => ({
      ...describe(authority),
      ...{ file: settings.clientCaFile ?? '', names: [], kind: kindOf(authority), use: 'clients' as const },
      ...(problem !== undefined && { problem }),
    }));
    return [...pairs.flatMap(shownOf), ...authorities];
  }

  get status(): TerminationStatus {
    const { trust, follow } = this.#parts;
    const until = trust?.store.current.nextUpdate;
    return {
      clientCertificate: this.#mode,
      ticketKeysSince: new Date(this.#ticketKeysSince).toISOString(),
      ...(until && { revocationListsUntil: until.toISOString() }),
      ...(follow.lastError && { lastError: follow.lastError }),
    };
  }

  [Symbol.dispose](): void {
    this.#stopListening();
  }
}

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
