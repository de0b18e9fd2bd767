// One request, and how far it came.

import { request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import { connect } from 'node:net';

export type Asked = {
  /** When somebody took the connection, on the clock of performance.now(); under TLS, when the handshake was done. */
  readonly acceptedAt?: number | undefined;
  /** Of the response, if there was any. */
  readonly status?: number | undefined;
  /** The error's code; none when the answer is whole. */
  readonly error?: string | undefined;
};

/** @param url http, https (any certificate) or tcp, which is connected to and no more. Never rejects. */
export function ask(url: string, signal: AbortSignal): Promise<Asked> {
  const { protocol } = new URL(url);
  return protocol === 'tcp:' ? reach(new URL(url), signal) : get(url, signal);
}

function reach({ hostname, port }: URL, signal: AbortSignal): Promise<Asked> {
  return new Promise((resolve) => {
    const socket = connect({ port: Number(port), host: hostname, signal }, () => {
      socket.destroy();
      resolve({ acceptedAt: performance.now() });
    });
    socket.once('error', (error) => resolve({ error: codeOf(error) }));
  });
}

function get(url: string, signal: AbortSignal): Promise<Asked> {
  const secure = url.startsWith('https:');
  const options = { agent: false as const, signal, rejectUnauthorized: false };
  return new Promise((resolve) => {
    let acceptedAt: number | undefined;
    let status: number | undefined;
    const broken = (error: Error) => resolve({ acceptedAt, status, error: codeOf(error) });
    const sent = (secure ? overHttps : overHttp)(url, options);
    sent.on('socket', (socket) =>
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        acceptedAt = performance.now();
      }),
    );
    sent.on('error', broken).on('response', (response) => {
      status = response.statusCode;
      // An answer that breaks off says so by an error.
      response.on('error', broken).on('end', () => resolve({ acceptedAt, status }));
      response.resume();
    });
    sent.end();
  });
}

const codeOf = ({ code, message }: NodeJS.ErrnoException): string => code ?? message;
