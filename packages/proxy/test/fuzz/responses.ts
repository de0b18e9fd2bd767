// The response as the client gets it, read by llhttp, against what llhttp reads in the application's own octets.

import { isDeepStrictEqual } from 'node:util';
import { Relay } from '../../src/relay.ts';
import { fieldsAdded, namesProxyConnection, withoutTab } from './agree.ts';
import { llhttpResponses, type Message, type Verdict } from './llhttp.ts';

type Relayed = {
  readonly sent: Buffer;
  readonly outcome: {
    readonly invalid: string | undefined;
    readonly status: number;
    /** The client gets a whole response. */
    readonly done: boolean;
    readonly reusable: boolean;
  };
};

const asked = { method: 'GET', minor: 1, upgrade: '', streams: undefined, edits: undefined };

/** The application ends its side after the octets. */
function relay(octets: Buffer, cuts: readonly number[]): Relayed {
  const one = new Relay(asked, true);
  const sent: Buffer[] = [];
  let from = 0;
  for (const cut of [...cuts, octets.length]) {
    if (one.invalid || one.done) break;
    // The buffer is read into again afterwards.
    sent.push(Buffer.from(one.read(Buffer.from(octets), from, cut, true)));
    from = cut;
  }
  if (!one.done && !one.invalid) sent.push(one.end() ?? nothing);
  const { invalid, status, done } = one;
  // Octets that are left come on an idle connection, which closes it.
  const reusable = one.reusable && done && from === octets.length;
  return { sent: Buffer.concat(sent), outcome: { invalid, status, done, reusable } };
}

const nothing = Buffer.alloc(0);

/** All that must hold of the octets that an application sends in answer to a GET. */
export function wrongWithResponses(octets: Buffer, cuts: readonly number[]): string | undefined {
  const plain = withoutTab(octets);
  const whole = relay(plain, []);
  const cut = relay(plain, cuts);
  // A line that has not ended may wait for its refusal, and then nothing was sent of it either.
  const waits = whole.outcome.invalid !== undefined && !cut.outcome.done && cut.outcome.invalid === undefined;
  if (!waits && !isDeepStrictEqual(whole.outcome, cut.outcome))
    return `whole: ${JSON.stringify(whole.outcome)}, cut: ${JSON.stringify(cut.outcome)}`;
  const theirs = llhttpResponses(plain, true);
  return tooLenient(whole, theirs) ?? tooLenient(cut, theirs);
}

/** What the client reads is what llhttp reads, and a connection is kept only where llhttp would keep it. */
function tooLenient({ sent, outcome }: Relayed, theirs: Verdict): string | undefined {
  if (outcome.invalid !== undefined || outcome.status === 0) return undefined;
  const last = theirs.messages.findIndex(({ status }) => status >= 200);
  // RFC 9110 15.2: what follows an interim response answers the same request, whatever that said of the connection.
  if (last < 0 && theirs.error === 'HPE_CLOSED_CONNECTION') return undefined;
  if (last < 0) return `status ${outcome.status}, llhttp says ${theirs.error}`;
  const expected = theirs.messages.slice(0, last + 1).filter(({ status }) => status !== 100);
  const got = llhttpResponses(sent, false);
  if (got.messages.length !== expected.length) return `${got.messages.length} responses, llhttp ${expected.length}`;
  for (const [index, message] of got.messages.entries()) {
    const difference = differs(message, expected[index]!);
    if (difference) return `response ${index}: ${difference} (${theirs.error})`;
  }
  if (!outcome.reusable) return undefined;
  const { keepsAlive, fields, trailers } = theirs.messages[last]!;
  const kept = theirs.error === undefined && theirs.messages.length === last + 1;
  return kept && (keepsAlive || namesProxyConnection([...fields, ...trailers]))
    ? undefined
    : `the connection is used again, llhttp says ${theirs.error}`;
}

function differs(got: Message, from: Message): string | undefined {
  if (got.status !== from.status) return `status ${got.status}, llhttp ${from.status}`;
  if (got.body !== from.body) return `body ${JSON.stringify(got.body)}, llhttp ${JSON.stringify(from.body)}`;
  if (got.done && !from.done) return 'it ends, for llhttp it does not';
  return fieldsAdded(from.fields, got.fields, own) ? `fields ${JSON.stringify(got.fields)}` : undefined;
}

const own = /^(transfer-encoding|content-length|connection)$/i;
