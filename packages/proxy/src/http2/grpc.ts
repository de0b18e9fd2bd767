// What the proxy itself says to clients of gRPC, in gRPC's terms: they look for its status, and of a problem and its HTTP
// status they make something by accident only.

import { type Answer, type Ending, type Problem, send } from '../answer.ts';
import type { Peer } from '../peer.ts';
import { fieldValue } from './head.ts';

// gRPC's own numbers.
const INVALID_ARGUMENT = 3;
const UNKNOWN = 2;
const DEADLINE_EXCEEDED = 4;
const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

const numbers: Readonly<Record<number, number>> = {
  401: UNAUTHENTICATED,
  403: PERMISSION_DENIED,
  404: UNIMPLEMENTED,
  413: RESOURCE_EXHAUSTED,
  429: UNAVAILABLE,
  431: RESOURCE_EXHAUSTED,
  502: UNAVAILABLE,
  503: UNAVAILABLE,
  504: DEADLINE_EXCEEDED,
};

export const numberOf = (status: number): number => numbers[status] ?? (status < 500 ? INVALID_ARGUMENT : UNKNOWN);

/** @param fields of a request, names in lower case and values by turns. */
export const isGrpc = (fields: readonly string[]): boolean =>
  /^application\/grpc(?:$|[+;])/.test(fieldValue(fields, 'content-type') ?? '');

/** gRPC-Web, too, which is answered as HTTP is. */
export const isGrpcFamily = (fields: readonly string[]): boolean =>
  fieldValue(fields, 'content-type')?.startsWith('application/grpc') === true;

/** As `send`; but failures go to clients of gRPC as a status that is all of the response ("Trailers-Only"). */
export function reply(peer: Pick<Peer, 'streams' | 'write'>, answer: Answer, ending: Ending): void {
  const { streams } = peer;
  if (streams?.grpc && answer.status >= 400) streams.respond(200, statusFields(answer), true);
  else send(peer, answer, ending);
}

function statusFields({ status, body }: Answer): string[] {
  // Whatever we answer with such a status is a problem.
  const { detail } = JSON.parse(body) as Problem;
  return [
    ...['content-type', 'application/grpc', 'grpc-status', String(numberOf(status))],
    ...['grpc-message', escaped(detail)],
  ];
}

/** All but printable ASCII, and the sign of escape itself, octet by octet. */
export const escaped = (text: string): string =>
  Buffer.from(text)
    .toString('latin1')
    .replace(/[^ -$&-~]/g, (octet) => `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
