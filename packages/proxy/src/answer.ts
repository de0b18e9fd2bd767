// What the proxy itself answers: problem+json (RFC 9457) with a stable code, and nothing about what lies behind it.

import { STATUS_CODES } from 'node:http';
import type { errors } from './errors.ts';

export type Problem = {
  readonly status: number;
  readonly code: keyof typeof errors;
  readonly detail: string;
  readonly reason?: string;
};

/** @param close says that the connection ends; @param bodiless for HEAD. */
export function answer(problem: Problem, { close, bodiless }: { close: boolean; bodiless: boolean }): Buffer {
  const { status } = problem;
  const title = STATUS_CODES[status] ?? 'Error';
  const body = JSON.stringify({ type: 'about:blank', title, ...problem });
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    `Date: ${new Date().toUTCString()}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    // A method is refused only when it would make a tunnel or an echo of us.
    ...(status === 503 ? ['Retry-After: 1'] : []),
    ...(status === 405 ? ['Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'] : []),
    `Connection: ${close ? 'close' : 'keep-alive'}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${bodiless ? '' : body}`);
}

export const continueAnswer = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n');
