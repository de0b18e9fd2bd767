// RFC 9457 problem details: what every error of the API looks like.

import { STATUS_CODES } from 'node:http';
import { Fault, type Fields, reasonOf } from '../errors.ts';
import type { Reply } from './router.ts';

/** A problem+json reply with a stable code, further members and further headers. */
export const problem = (
  status: number,
  code: string,
  detail: string,
  more: Fields = {},
  headers: Reply['headers'] = {},
): Reply => ({
  status,
  headers: { 'content-type': 'application/problem+json', ...headers },
  body: JSON.stringify({ status, title: STATUS_CODES[status] ?? 'Error', code, detail, ...more }),
});

/** A thrown Fault keeps its code; anything else is an internal error whose text stays in the log. */
export function problemOf(error: unknown): Reply {
  if (error instanceof Fault) return problem(error.status, error.code, reasonOf(error), { hint: error.hint });
  return problem(500, 'INTERNAL', 'The request failed; the log says why');
}
