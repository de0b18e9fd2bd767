// RFC 9457 problem details: what every error of the API looks like.

import type { Context } from 'hono';
import { Fault, type Fields, reasonOf } from '../errors.ts';

export type ProblemStatus = 400 | 401 | 403 | 404 | 405 | 413 | 500 | 503;

/** A problem+json response with a stable code. */
export function problem(context: Context, status: number, code: string, detail: string, more: Fields = {}): Response {
  return context.body(
    JSON.stringify({ status, title: titles[status] ?? 'Error', code, detail, ...more }),
    status as ProblemStatus,
    {
      'content-type': 'application/problem+json',
    },
  );
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  413: 'Content too large',
  500: 'Internal error',
  502: 'Bad gateway',
  503: 'Unavailable',
};

/** A thrown Fault keeps its code; anything else is an internal error whose text stays in the log. */
export function problemOf(context: Context, error: unknown): Response {
  if (error instanceof Fault) return problem(context, error.status, error.code, reasonOf(error), { hint: error.hint });
  return problem(context, 500, 'INTERNAL', 'The request failed; the log says why');
}
