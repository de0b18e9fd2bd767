// HTTPS as a client that trusts the demo's authority and nobody else.

import { request } from 'node:https';

export type Client = { readonly host: string; readonly port: number; readonly ca: string };
export type Answer = { readonly status: number; readonly body: string };

/** On a connection of its own. */
export function ask({ host, port, ca }: Client, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host, port, path, ca, servername: 'localhost', agent: false, signal: AbortSignal.timeout(5000) };
    const sent = request(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    sent.on('error', reject).end();
  });
}

export async function json<T = unknown>(client: Client, path: string): Promise<T> {
  const { status, body } = await ask(client, path);
  if (status !== 200) throw new Error(`${path} answered ${status}: ${body}`);
  return JSON.parse(body) as T;
}
