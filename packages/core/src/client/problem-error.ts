// What a client throws: a problem that the sidecar told, or that there is no answer to be had.

import { reasonOf } from '../errors.ts';
import { parseRetryAfter } from '../retry.ts';

/** RFC 9457, as every sidecar answers what it refuses. */
export type ProblemDetails = {
  readonly status: number;
  readonly title?: string;
  readonly code: string;
  readonly detail: string;
  readonly hint?: string;
  readonly [more: string]: unknown;
};

/** It answered, with another status than 2xx. */
export class ProblemError extends Error {
  readonly status: number;
  /** Stable; `HTTP_<status>` when the answer is no problem+json. */
  readonly code: string;
  readonly detail: string;
  readonly hint: string | undefined;
  /** All that was told. */
  readonly problem: ProblemDetails;
  /** Milliseconds after which to ask again, if it said so. */
  readonly retryAfter: number | undefined;

  constructor(request: string, problem: ProblemDetails, retryAfter?: number) {
    super(`${request} answered ${problem.status} ${problem.code}: ${problem.detail}`);
    this.name = 'ProblemError';
    this.status = problem.status;
    this.code = problem.code;
    this.detail = problem.detail;
    this.hint = problem.hint;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/**
 * There is no answer, or none that can be used. `code` is TIMEOUT, CLOSED, BODY_TOO_LARGE, INVALID_JSON,
 * NO_COMMON_VERSION, or that of the connection: ECONNREFUSED, ECONNRESET, HPE_INVALID_CONSTANT, ...
 */
export class ClientError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ClientError';
    this.code = code;
  }
}

/** Of whatever a connection failed with. */
export function clientError(error: Error): ClientError {
  if (error instanceof ClientError) return error;
  return new ClientError((error as NodeJS.ErrnoException).code ?? 'FAILED', reasonOf(error), { cause: error });
}

export type Answered = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
};

export function problemError(request: string, { status, headers, text }: Answered): ProblemError {
  return new ProblemError(request, problemIn(status, text), parseRetryAfter(headers['retry-after']?.toString()));
}

function problemIn(status: number, text: string): ProblemDetails {
  try {
    const problem = JSON.parse(text) as ProblemDetails;
    if (typeof problem.code === 'string' && typeof problem.detail === 'string') return { ...problem, status };
  } catch {
    // A proxy on the way, or no sidecar at all.
  }
  const detail = text.replace(/\s+/g, ' ').trim().slice(0, 200) || 'nothing was said';
  return { status, code: `HTTP_${status}`, detail };
}
