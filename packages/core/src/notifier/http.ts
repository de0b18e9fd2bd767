// A request to an endpoint of the application. node:http rather than fetch, whose undici would cost 5.8 MB.

import type { IncomingMessage, RequestOptions } from 'node:http';
import { choice, path, text, url } from '../parameters/kinds.ts';
import { parseRetryAfter } from '../retry.ts';
import { errors } from './errors.ts';
import { defineNotifier, type Notice, type Notifier } from './notifier.ts';

export const http = defineNotifier({
  summary: 'Requests a URL of the application',
  parameters: {
    url: url({
      schemes: ['http', 'https'],
      reach: true,
      example: 'http://127.0.0.1:8080/-/reload',
      help: 'Where the application is told; user and password in it are sent as basic authentication',
    }),
    method: choice(['POST', 'PUT', 'PATCH', 'GET'], { default: 'POST', help: 'Method of the request' }),
    expectStatus: text({
      default: '2xx',
      pattern: /2xx|[1-5]\d\d/,
      expected: '2xx or a status such as 204',
      help: 'Status of success; redirects are not followed',
    }),
    caFile: path({
      optional: true,
      access: 'read',
      help: 'Authorities (PEM) that the certificate of an https URL must come from, instead of those Node.js knows',
    }),
  },

  open: ({ url, method, expectStatus, caFile }) =>
    httpNotifier({
      url,
      method,
      caFile,
      expected: expectStatus,
      headers: ({ generation, hash }) => ({ 'outrigger-generation': generation, 'outrigger-hash': hash }),
    }),
});

export type HttpOptions = {
  readonly url: URL;
  readonly method: string;
  /** `2xx`, one status such as `200`, or `any`. */
  readonly expected: string;
  readonly headers: (notice: Notice) => Readonly<Record<string, string | number>>;
  /** Read each time, so that a new one needs no restart. */
  readonly caFile?: string | undefined;
};

export function httpNotifier({ url, method, expected, headers, caFile }: HttpOptions): Notifier {
  // A query may hold a token as well as the user part may.
  const target = `${method} ${url.origin}${url.pathname}`;
  return {
    target,
    async notify(notice, signal) {
      const options = { method, signal, headers: { 'user-agent': 'outrigger', ...headers(notice) } };
      const { status, retryAfter } = await ask(url, options, caFile).catch((error: unknown) => {
        throw signal.aborted ? signal.reason : errors.NOTIFY_HTTP_UNREACHABLE({ target }, error);
      });
      if (!isExpected(status, expected)) throw errors.NOTIFY_HTTP_STATUS({ target, status, expected, retryAfter });
      return { status };
    },
  };
}

function isExpected(status: number, expected: string): boolean {
  if (expected === '2xx') return status >= 200 && status < 300;
  return expected === 'any' || status === Number(expected);
}

type Answer = { readonly status: number; readonly retryAfter: number | undefined };

async function ask(url: URL, options: RequestOptions, caFile?: string): Promise<Answer> {
  // TLS is loaded only by those who use it.
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  const trusted = caFile === undefined ? undefined : (await import('../tls-files.ts')).readTls({ caFile }).material;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  // Notifications are minutes apart: no agent, so no connection is kept for the next one. With that nothing can follow an
  // answer, and one with bare line feeds, as from a server of three lines of shell, may be understood.
  const asked = request(url, { ...options, ...trusted, agent: false, insecureHTTPParser: true }, (response) => {
    const { statusCode: status = 0, headers } = response;
    drain(response).then(() => resolve({ status, retryAfter: parseRetryAfter(headers['retry-after']) }), reject);
  });
  asked.on('error', reject);
  asked.end();
  return promise;
}

const mostBody = 64 * 1024;

/** To the end, since some answer before they have reloaded; a body without end is cut. */
async function drain(response: IncomingMessage): Promise<void> {
  let size = 0;
  for await (const chunk of response) {
    size += (chunk as Buffer).length;
    if (size > mostBody) return;
  }
}
