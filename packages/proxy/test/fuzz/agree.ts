// What must hold between our reading and llhttp's. Each function returns what is wrong, or undefined.

import { isDeepStrictEqual } from 'node:util';
import { llhttpMethods, llhttpRequests, type Message, type Verdict } from './llhttp.ts';
import { type OwnMessage, type OwnVerdict, ownRequests } from './ours.ts';

/** All that must hold of the octets of one connection. */
export function wrongWithRequests(octets: Buffer, cuts: readonly number[], mostHead: number): string | undefined {
  const ours = ownRequests(octets, [], mostHead);
  const cut = ownRequests(octets, cuts, mostHead);
  const wrong = chunkingMatters(ours, settled(ours, cut, octets, cuts, mostHead)) ?? tooLenient(ours, octets, mostHead);
  if (wrong) return wrong;
  for (const message of cut.messages) {
    const spoilt = message.done ? forwardedWrongly(message) : undefined;
    if (spoilt) return spoilt;
  }
  return undefined;
}

/** A head or trailer that comes in pieces is read again when a line has ended; until then its refusal may wait. */
function settled(
  whole: OwnVerdict,
  cut: OwnVerdict,
  octets: Buffer,
  cuts: readonly number[],
  mostHead: number,
): OwnVerdict {
  if (whole.error === undefined || cut.awaits === 'nothing') return cut;
  return ownRequests(Buffer.concat([octets, lineFeed]), [...cuts, octets.length], mostHead);
}

const lineFeed = Buffer.from('\n');

/** The packets that octets come in must make no difference. */
function chunkingMatters(whole: OwnVerdict, cut: OwnVerdict): string | undefined {
  if (whole.error !== cut.error) return `whole: ${whole.error}, cut: ${cut.error}`;
  if (whole.awaits !== cut.awaits) return `whole: awaits ${whole.awaits}, cut: ${cut.awaits}`;
  if (whole.messages.length !== cut.messages.length)
    return `whole: ${whole.messages.length} messages, cut: ${cut.messages.length}`;
  for (const [index, message] of whole.messages.entries()) {
    // Of a body that is refused, how much came before that is a matter of packets.
    const { forwarded: _, body, ...rest } = message;
    const { forwarded: __, body: otherBody, ...other } = cut.messages[index]!;
    const refused = whole.error !== undefined && !message.done;
    if (!isDeepStrictEqual(rest, other)) return `message ${index} differs when cut`;
    if (refused ? !otherBody.startsWith(body) : body !== otherBody) return `body ${index} differs when cut`;
  }
  return undefined;
}

/** Whatever we accept, llhttp accepts, and reads the same in it. */
function tooLenient(ours: OwnVerdict, octets: Buffer, mostHead: number): string | undefined {
  const plain = withoutTab(octets);
  if (plain !== octets) return tooLenient(ownRequests(plain, [], mostHead), plain, mostHead);
  const theirs = llhttpRequests(octets);
  for (const [index, message] of ours.messages.entries()) {
    const other = theirs.messages[index];
    const difference = other ? differs(message, other, ours.error !== undefined) : 'llhttp does not accept it';
    if (difference)
      return excused(ours, theirs, index) ? undefined : `request ${index}: ${difference} (${theirs.error})`;
  }
  if (ours.awaits !== 'nothing' && theirs.messages.length > ours.messages.length) return 'llhttp read more requests';
  return undefined;
}

/**
 * Where RFC 9110 clearly allows what llhttp refuses.
 * 9.1: any token is a method. llhttp has a list of those it knows.
 * 7.6.1: it knows no Proxy-Connection, so that ends no connection. llhttp heeds it as if it were Connection.
 */
function excused({ messages }: OwnVerdict, theirs: Verdict, index: number): boolean {
  if (theirs.error === 'HPE_INVALID_METHOD') return !llhttpMethods.has(messages[index]!.method);
  if (theirs.error !== 'HPE_CLOSED_CONNECTION') return false;
  const { fields, trailers } = theirs.messages[index - 1]!;
  return namesProxyConnection([...fields, ...trailers]);
}

export const namesProxyConnection = (fields: readonly string[]) =>
  fields.some((name, at) => at % 2 === 0 && /^proxy-connection$/i.test(name));

/** 5.5: white space after a value is no part of it. llhttp takes a tab after every value but `chunked`, so it gets a space. */
export function withoutTab(octets: Buffer): Buffer {
  const text = octets.toString('latin1');
  const plain = text.replace(/(?<=chunked[ \t]*)\t(?=[ \t]*\r)/gi, ' ');
  return plain === text ? octets : Buffer.from(plain, 'latin1');
}

function differs(ours: Message, theirs: Message, refused: boolean): string | undefined {
  if (ours.method !== theirs.method) return `method ${ours.method}, llhttp ${theirs.method}`;
  if (ours.target !== theirs.target) return `target ${ours.target}, llhttp ${theirs.target}`;
  if (ours.minor !== theirs.minor) return `version 1.${ours.minor}, llhttp 1.${theirs.minor}`;
  if (!isDeepStrictEqual(ours.fields, theirs.fields))
    return `fields ${JSON.stringify(ours.fields)}, llhttp ${JSON.stringify(theirs.fields)}`;
  if (ours.done && !theirs.done) return 'the body ends, for llhttp it does not';
  const same = refused && !ours.done ? theirs.body.startsWith(ours.body) : ours.body === theirs.body;
  return same ? undefined : `body ${JSON.stringify(ours.body)}, llhttp ${JSON.stringify(theirs.body)}`;
}

/** The application must read one request, the one that the client sent. */
function forwardedWrongly(message: OwnMessage): string | undefined {
  if (!llhttpMethods.has(message.method)) return undefined;
  const { messages, error } = llhttpRequests(Buffer.from(message.forwarded, 'latin1'));
  const [read] = messages;
  const shown = JSON.stringify(message.forwarded);
  if (error || messages.length !== 1 || !read!.done)
    return `forwarded as ${messages.length} requests (${error}): ${shown}`;
  if (read!.method !== message.method || read!.target !== message.forwardedTarget || read!.minor !== 1)
    return `forwarded with another request line: ${shown}`;
  if (read!.body !== message.body) return `forwarded with another body: ${shown}`;
  return fieldsAdded(message.fields, read!.fields, own) ? `forwarded with other fields: ${shown}` : undefined;
}

const own = /^(x-forwarded-(for|proto|host)|transfer-encoding|content-length|connection|upgrade|host)$/i;

/** Whether there are fields that came from nowhere or in another order, but for those that are our own to write. */
export function fieldsAdded(from: readonly string[], to: readonly string[], ours: RegExp): boolean {
  let at = 0;
  for (let i = 0; i < to.length; i += 2) {
    let found = at;
    while (found < from.length && (from[found] !== to[i] || from[found + 1] !== to[i + 1])) found += 2;
    if (found < from.length) at = found + 2;
    else if (!ours.test(to[i]!)) return true;
  }
  return false;
}
