// What the sidecar's own service answers, in one word.

import { request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import { connect } from 'node:net';

/** @param url http, https (any certificate) or tcp. Returns the status, `connected`, or the error's code. */
export function askTraffic(url: string): Promise<string> {
  const { protocol, hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message);
    const signal = AbortSignal.timeout(5_000);
    if (protocol === 'tcp:') {
      const socket = connect({ port: Number(port), host: hostname, signal }, () => {
        socket.destroy();
        resolve('connected');
      });
      return socket.once('error', failed);
    }
    const options = { agent: false as const, signal, rejectUnauthorized: false };
    const sent = protocol === 'https:' ? overHttps(url, options) : overHttp(url, options);
    sent.on('error', failed).on('response', (response) => {
      response.resume();
      resolve(`${response.statusCode}`);
    });
    return sent.end();
  });
}
