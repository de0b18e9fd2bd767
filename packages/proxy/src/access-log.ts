// A line of JSON on stdout for each request, if asked for. Lines leave in batches: a write for each would cost more than the
// request.

import { kinds } from './http/field-kind.ts';
import type { RequestHead } from './http/request-head.ts';
import { splitAbsolute } from './http/target.ts';
import type { Origin } from './origin.ts';
import type { Peer } from './peer.ts';
import { addressOf } from './tcp/address.ts';

/** What is known when a request begins. */
export type AccessEntry = {
  readonly began: Date;
  readonly method: string;
  /** Without the query, which may hold secrets. */
  readonly path: string;
  readonly host: string;
  readonly protocol: string;
  readonly client: string;
  readonly forwardedFor: string | undefined;
  readonly traceparent: string | undefined;
};

export type AccessOutcome = {
  readonly status: number;
  readonly rule?: string;
  readonly upstream?: string;
  /** Of a refusal, or of what went wrong. */
  readonly reason?: string;
  /** Of the request's body, or of the client in a tunnel. */
  readonly receivedBytes: number;
  /** Of the response's body, or to the client in a tunnel. */
  readonly sentBytes: number;
  readonly milliseconds: number;
};

/** Where lines go, and how many there are. */
type Write = (lines: string, count: number) => unknown;

const batch = 65_536;
// Shares are whole numbers of these: a tenth added up ten times is a little less than one.
const whole = 100_000;

export class AccessLog implements AsyncDisposable {
  /** Of requests, from 0 to `whole`. */
  readonly #share: () => number;
  readonly #write: Write;
  readonly #end: () => Promise<void>;
  #lines = '';
  #count = 0;
  #soon: NodeJS.Immediate | undefined;
  /** Shares add up until there is a whole line: 10 % is every tenth request, not a tenth of the luck. */
  #owed = 0;

  /**
   * @param setting as --access-log has it; asked for each request, since it may change.
   * @param end what was written is on its way
   */
  constructor(setting: () => string, write: Write, end: () => Promise<void> = async () => undefined) {
    let read = '';
    let share = 0;
    this.#share = () => {
      if (read !== setting()) {
        read = setting();
        share = shareOf(read);
      }
      return share;
    };
    this.#write = write;
    this.#end = end;
  }

  get on(): boolean {
    return this.#share() > 0;
  }

  /** Writes the line if it is this one's turn; failures have theirs always. */
  write(entry: AccessEntry, outcome: AccessOutcome): void {
    this.#owed += this.#share();
    if (this.#owed >= whole) this.#owed -= whole;
    else if (outcome.status < 500) return;
    const { began, ...request } = entry;
    const { milliseconds, ...rest } = outcome;
    const seconds = Math.round(milliseconds * 1000) / 1e6;
    this.#lines += `${JSON.stringify({ time: began.toISOString(), ...request, ...rest, seconds })}\n`;
    this.#count++;
    if (this.#lines.length >= batch) this.flush();
    else this.#soon ??= setImmediate(() => this.flush());
  }

  flush(): void {
    clearImmediate(this.#soon);
    this.#soon = undefined;
    const lines = this.#lines;
    const count = this.#count;
    this.#lines = '';
    this.#count = 0;
    if (lines) this.#write(lines, count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.flush();
    await this.#end();
  }
}

function shareOf(setting: string): number {
  if (setting === 'off') return 0;
  return setting === 'on' ? whole : Math.min(whole, Math.round((Number.parseFloat(setting) / 100) * whole));
}

/** For a head that could not be read: nothing in it is certain. */
export const unreadEntry = ({ endpoints }: Origin, protocol: string): AccessEntry => ({
  ...{ began: new Date(), method: '', path: '', host: '', protocol, client: addressOf(endpoints.source) },
  ...{ forwardedFor: undefined, traceparent: undefined },
});

export function entryOf(buffer: Buffer, head: RequestHead, peer: Peer): AccessEntry {
  // Not what a rule made of it: the line says what was asked for.
  const target = buffer.toString('latin1', head.targetStart, head.targetEnd);
  const [path = ''] = (target.startsWith('/') ? target : (splitAbsolute(target, false)?.path ?? target)).split('?', 1);
  const { address, trusted } = peer.identity;
  return {
    ...{ began: new Date(), method: head.method, path, client: address },
    host: buffer.toString('latin1', head.hostStart, head.hostEnd),
    protocol: peer.streams ? 'HTTP/2' : `HTTP/1.${head.minor}`,
    forwardedFor: trusted ? firstValue(buffer, head, kinds.forwardedFor) : undefined,
    traceparent: firstValue(buffer, head, kinds.traceparent),
  };
}

function firstValue(buffer: Buffer, { fields }: RequestHead, kind: number): string | undefined {
  const at = fields.kind.subarray(0, fields.count).indexOf(kind);
  return at < 0 ? undefined : buffer.toString('latin1', fields.valueStart[at]!, fields.valueEnd[at]!);
}
