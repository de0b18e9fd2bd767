// The other reader: llhttp, as node:http runs it in its strict default. It is driven through Node's own binding of it,
// because a million connections to a server would take an hour; oracle.test.ts shows that the two agree.

import { getBuiltinModule } from 'node:process';

export type Message = {
  /** Of a request. */
  method: string;
  target: string;
  /** Of a response. */
  status: number;
  minor: number;
  /** Names and values by turns. */
  fields: readonly string[];
  body: string;
  /** As `fields`; we drop them. */
  trailers: readonly string[];
  done: boolean;
  keepsAlive: boolean;
};

export type Verdict = {
  /** Those whose head is whole; the last one may lack the end of its body. */
  readonly messages: readonly Message[];
  /** HPE_... or a name of our own refusals; undefined while nothing is wrong. */
  readonly error: string | undefined;
};

type Parser = {
  [callback: number]: unknown;
  initialize(type: number, resource: object, mostHead: number, lenient: number): void;
  execute(octets: Buffer): number | (Error & { code: string });
  finish(): (Error & { code: string }) | undefined;
};
type ParserClass = {
  new (): Parser;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kLenientNone: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
};

// Deprecated for programs, but there is no other way to it. The methods are in the order of their numbers, but for the
// last one, QUERY, whose number comes after those of other protocols.
const { HTTPParser, methods } = getBuiltinModule('_http_common' as 'http') as unknown as {
  readonly HTTPParser: ParserClass;
  readonly methods: readonly string[];
};

const mostHead = 65_536;
const resource = {};

let messages: Message[] = [];
// More than 32 fields come in several calls, trailers in one of their own.
let early: string[] = [];
let earlyTarget = '';

const parser = new HTTPParser();
parser[HTTPParser.kOnHeaders] = (fields: string[], target: string) => {
  early.push(...fields);
  earlyTarget += target;
};
parser[HTTPParser.kOnHeadersComplete] = (
  _major: number,
  minor: number,
  fields: string[] | undefined,
  method: number | undefined,
  target: string | undefined,
  status: number | undefined,
  _reason: string | undefined,
  _upgrade: boolean,
  keepsAlive: boolean,
): number => {
  messages.push({
    method: method === undefined ? '' : methods[Math.min(method, methods.length - 1)]!,
    target: target ?? earlyTarget,
    status: status ?? 0,
    minor,
    fields: fields ?? early,
    body: '',
    trailers: [],
    done: false,
    keepsAlive,
  });
  early = [];
  earlyTarget = '';
  return 0;
};
parser[HTTPParser.kOnBody] = (octets: Buffer) => {
  messages.at(-1)!.body += octets.toString('latin1');
};
parser[HTTPParser.kOnMessageComplete] = () => {
  const message = messages.at(-1)!;
  message.done = true;
  message.trailers = early;
  early = [];
  earlyTarget = '';
};

function run(type: number, octets: Buffer, ended: boolean): Verdict {
  messages = [];
  const error = execute(type, octets) ?? (ended ? parser.finish()?.code : undefined);
  return { messages, error };
}

function execute(type: number, octets: Buffer): string | undefined {
  early = [];
  earlyTarget = '';
  parser.initialize(type, resource, mostHead, HTTPParser.kLenientNone);
  const read = parser.execute(octets);
  if (typeof read !== 'number') return read.code;
  if (read === octets.length) return undefined;
  // It stopped after a request that asks for an upgrade. A server that ignores the wish goes on behind it.
  const last = messages.at(-1)!;
  if (!last.done) return 'HPE_UNKNOWN';
  return last.keepsAlive ? execute(type, octets.subarray(read)) : 'HPE_CLOSED_CONNECTION';
}

export const llhttpRequests = (octets: Buffer): Verdict => run(HTTPParser.REQUEST, octets, false);
/** @param ended the connection ends after the octets. */
export const llhttpResponses = (octets: Buffer, ended: boolean): Verdict => run(HTTPParser.RESPONSE, octets, ended);
/** Those that llhttp knows; to HTTP any token is a method. */
export const llhttpMethods: ReadonlySet<string> = new Set(methods);
