// Our own reader of requests, driven as Client and Exchange drive it, without their sockets.

import { mostForwarded, writeHead } from '../../src/forward.ts';
import { Body } from '../../src/http/body.ts';
import { MORE, REFUSED } from '../../src/http/fields.ts';
import { Fragments } from '../../src/http/fragments.ts';
import { RequestHead } from '../../src/http/request-head.ts';
import { identify } from '../../src/identity.ts';
import type { Message, Verdict } from './llhttp.ts';

export type OwnMessage = Message & {
  /** What the application gets, given that somebody takes it. */
  forwarded: string;
  /** As it is forwarded: an absolute target loses its authority. */
  readonly forwardedTarget: string;
};

export type OwnVerdict = Omit<Verdict, 'messages'> & {
  readonly messages: readonly OwnMessage[];
  /** What it waits for; `nothing` once the connection is to be closed. */
  readonly awaits: 'head' | 'body' | 'nothing';
};

const head = new RequestHead();
const identity = identify('192.0.2.7', 'https');
const passage = { head, identity, upstreamHost: '127.0.0.1:8080', edits: undefined, extra: undefined };

/** @param octets of one connection; @param cuts where a packet ends and the next one starts, in order. */
export function ownRequests(octets: Buffer, cuts: readonly number[], mostHead: number): OwnVerdict {
  const reader = new Reader(mostHead);
  let from = 0;
  for (const cut of cuts) {
    if (cut > from) reader.feed(octets.subarray(from, cut));
    from = cut;
  }
  if (from < octets.length) reader.feed(octets.subarray(from));
  return reader;
}

class Reader implements OwnVerdict {
  readonly messages: OwnMessage[] = [];
  error: string | undefined;
  readonly #mostHead: number;
  #pending: Fragments | undefined;
  #body: Body | undefined;
  #chunked = false;
  #closed = false;

  constructor(mostHead: number) {
    this.#mostHead = mostHead;
  }

  get awaits(): OwnVerdict['awaits'] {
    return this.#closed ? 'nothing' : this.#body ? 'body' : 'head';
  }

  feed(octets: Buffer): void {
    if (this.#closed) return;
    if (this.#body) this.#readBody(this.#body, octets, 0);
    else {
      const whole = this.#pending ? this.#pending.add(octets, this.#mostHead) : octets;
      if (whole) this.#readHead(whole);
    }
  }

  #readHead(octets: Buffer): void {
    const after = head.read(octets, 0, { end: octets.length, most: this.#mostHead });
    if (after === REFUSED) this.#refuse(head.refusal!.reason);
    else if (after === MORE) this.#pending = new Fragments(octets);
    else this.#begin(octets, after);
  }

  #begin(octets: Buffer, after: number): void {
    this.#pending = undefined;
    const { framing } = head;
    this.messages.push(messageOf(octets));
    this.#chunked = framing.chunked;
    const body = framing.chunked ? Body.chunked() : Body.ofLength(Math.max(0, framing.length));
    this.#body = body;
    if (body.done) this.#finish(octets, after);
    else this.#readBody(body, octets, after);
  }

  #readBody(body: Body, octets: Buffer, from: number): void {
    const message = this.messages.at(-1)!;
    const after = body.read(octets, from, octets.length);
    if (after < 0) {
      this.#refuse(body.refusal!.reason);
      return;
    }
    for (let i = 0; i < body.pieces.length; i += 2)
      message.body += octets.toString('latin1', body.pieces[i], body.pieces[i + 1]);
    const out = Buffer.allocUnsafe(body.mostWritten(this.#chunked));
    message.forwarded += out.toString('latin1', 0, body.write(octets, out, 0, this.#chunked));
    if (body.done) this.#finish(octets, after);
  }

  #finish(octets: Buffer, after: number): void {
    const message = this.messages.at(-1)!;
    message.done = true;
    this.#body = undefined;
    this.#closed = !message.keepsAlive;
    if (!this.#closed && after < octets.length) this.#readHead(octets.subarray(after));
  }

  #refuse(reason: string): void {
    this.error = reason;
    this.#closed = true;
  }
}

function messageOf(octets: Buffer): OwnMessage {
  const { fields } = head;
  const list: string[] = [];
  for (let i = 0; i < fields.count; i++) {
    list.push(octets.toString('latin1', fields.start[i], fields.nameEnd[i]));
    list.push(octets.toString('latin1', fields.valueStart[i], fields.valueEnd[i]));
  }
  const out = Buffer.allocUnsafe(mostForwarded(passage));
  const length = writeHead(octets, out, passage);
  const target = octets.toString('latin1', head.targetStart, head.targetEnd);
  return {
    method: head.method,
    target,
    forwardedTarget: head.rewritten ?? target,
    status: 0,
    minor: head.minor,
    fields: list,
    body: '',
    trailers: [],
    done: false,
    keepsAlive: head.keepsAlive,
    forwarded: out.toString('latin1', 0, length),
  };
}
