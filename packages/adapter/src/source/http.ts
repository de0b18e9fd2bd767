// HTTP and HTTPS by node:http, which is loaded anyway (fetch would cost 6 MB). Redirects are never followed: they would
// carry credentials to places that nobody chose.

import { get, type IncomingMessage, type RequestOptions } from 'node:http';
import { get as getSecure } from 'node:https';
import { errors } from '../errors.ts';
import type { Credentials, Opened, Request, Source } from './source.ts';

export const http: Source = {
  summary: 'HTTP or HTTPS',
  schemes: ['http', 'https'],
  example: 'http://127.0.0.1:8080/status.xml',
  check: () => undefined,
  open: (request) => ask(request, { ...hostOf(request.target), path: request.target.pathname + request.target.search }),
};

const hostOf = ({ hostname, port }: URL) => ({ host: hostname.replace(/^\[|\]$/g, ''), ...(port && { port }) });

/** One GET on a connection of its own: status pages are asked rarely, and old servers keep connections badly. */
export function ask({ target, shown, credentials, signal }: Request, options: RequestOptions): Promise<Opened> {
  const { promise, resolve, reject } = Promise.withResolvers<Opened>();
  const send = target.protocol === 'https:' ? getSecure : get;
  const headers = {
    accept: 'application/xml, text/xml;q=0.9, */*;q=0.1',
    // Local traffic gains nothing from compression, and a bomb cannot be sent.
    'accept-encoding': 'identity',
    'user-agent': 'outrigger-adapter',
    ...authorization(credentials),
  };
  // Connections are made anew, so changed files count from the next document on.
  const secureContext = credentials.tls?.current.context;
  const sent = send({ ...options, headers, signal, agent: false, ...(secureContext && { secureContext }) });
  sent.on('error', reject);
  sent.once('response', (response) => {
    try {
      resolve(opened(response, shown));
    } catch (error) {
      response.destroy();
      reject(error);
    }
  });
  return promise;
}

function opened(response: IncomingMessage, shown: string): Opened {
  const { statusCode = 0, statusMessage, headers } = response;
  if (statusCode === 204) throw errors.ADAPTER_DOCUMENT_EMPTY();
  if (statusCode !== 200)
    throw errors.ADAPTER_TARGET_STATUS({ target: shown, status: `${statusCode} ${statusMessage ?? ''}`.trim() });
  const encoding = headers['content-encoding'];
  if (encoding && encoding !== 'identity')
    throw errors.ADAPTER_DOCUMENT_ENCODING({ encoding: `"${encoding}" (it was asked for plain)` });
  const [type, ...parameters] = (headers['content-type'] ?? '').split(';');
  const charset = parameters.map((each) => /^\s*charset\s*=\s*"?([^"\s]+)"?\s*$/i.exec(each)?.[1]).find(Boolean);
  const length = headers['content-length'];
  return {
    chunks: response,
    length: length === undefined ? undefined : Number(length),
    type: type?.trim().toLowerCase() || undefined,
    charset,
  };
}

function authorization({ user, password, token }: Credentials): { authorization?: string } {
  if (token) return { authorization: `Bearer ${token.read().trim()}` };
  if (user === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${user}:${password?.read() ?? ''}`).toString('base64')}` };
}
