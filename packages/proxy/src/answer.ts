// What the proxy itself answers: problem+json (RFC 9457) with a stable code, and nothing about what lies behind it.

import { STATUS_CODES } from 'node:http';
import type { errors } from './errors.ts';
import type { Peer } from './peer.ts';

export type Problem = {
  readonly status: number;
  readonly code: Extract<keyof typeof errors, string>;
  readonly detail: string;
  readonly reason?: string;
};

/** For metrics and the log. */
export const reasonOf = ({ reason, code }: Problem): string => reason ?? code.toLowerCase().replace('proxy_', '');

/** A whole answer: names in lower case and values by turns, and the body. */
export type Answer = { readonly status: number; readonly fields: readonly string[]; readonly body: string };

export function answerOf(problem: Problem): Answer {
  const { status } = problem;
  const body = JSON.stringify({ type: 'about:blank', title: titleOf(status), ...problem });
  return {
    status,
    fields: [
      ...['date', new Date().toUTCString(), 'content-type', 'application/problem+json'],
      ...['content-length', String(Buffer.byteLength(body)), 'cache-control', 'no-store'],
      ...(status === 503 ? ['retry-after', '1'] : []),
      // A method is refused only when it would make a tunnel or an echo of us.
      ...(status === 405 ? ['allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'] : []),
    ],
    body,
  };
}

/** @param location as it stands: nothing in it is escaped here. */
export const redirectTo = (status: number, location: string): Answer => ({
  status,
  fields: ['date', new Date().toUTCString(), 'location', location, 'content-length', '0'],
  body: '',
});

const titleOf = (status: number) => STATUS_CODES[status] ?? 'Error';

/** @param close says that the connection ends; @param bodiless for HEAD. */
export type Ending = { readonly close: boolean; readonly bodiless: boolean };

export function send(peer: Pick<Peer, 'streams' | 'write'>, answer: Answer, { close, bodiless }: Ending): void {
  const { status, fields } = answer;
  const body = bodiless ? '' : answer.body;
  const { streams } = peer;
  if (!streams) {
    const lines = [`HTTP/1.1 ${status} ${titleOf(status)}`];
    for (let i = 0; i < fields.length; i += 2) lines.push(`${titled(fields[i]!)}: ${fields[i + 1]}`);
    lines.push(`Connection: ${close ? 'close' : 'keep-alive'}`);
    peer.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`));
    return;
  }
  streams.respond(status, fields, body === '');
  if (body !== '') {
    peer.write(Buffer.from(body));
    streams.end();
  }
}

const titled = (name: string) => name.replace(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());

export const continueAnswer = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n');
