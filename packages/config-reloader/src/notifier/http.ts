// A request to the application's reload endpoint. node:http rather than fetch, whose undici would cost 5.8 MB.

import type { IncomingMessage, RequestOptions } from 'node:http';
import { choice, text, url } from '@outrigger/core';
import { errors } from '../errors.ts';
import { defineNotifier, type Notice } from './notifier.ts';

export const http = defineNotifier({
  summary: 'Requests a URL of the application',
  parameters: {
    url: url({
      schemes: ['http', 'https'],
      example: 'http://127.0.0.1:8080/-/reload',
      help: 'Where the application is told to reload; user and password in it are sent as basic authentication',
    }),
    method: choice(['POST', 'PUT', 'PATCH', 'GET'], { default: 'POST', help: 'Method of the request' }),
    expectStatus: text({
      default: '2xx',
      pattern: /2xx|[1-5]\d\d/,
      expected: '2xx or a status such as 204',
      help: 'Status of success; redirects are not followed',
    }),
  },

  open({ url, method, expectStatus }) {
    // A query may hold a token as well as the user part may.
    const target = `${method} ${url.origin}${url.pathname}`;
    return {
      target,
      async notify(notice, signal) {
        const status = await ask(url, { method, signal, headers: headersOf(notice) }).catch((error: unknown) => {
          throw signal.aborted ? signal.reason : errors.RELOAD_HTTP_UNREACHABLE({ target }, error);
        });
        const expected = expectStatus === '2xx' ? status >= 200 && status < 300 : status === Number(expectStatus);
        if (!expected) throw errors.RELOAD_HTTP_STATUS({ target, status, expected: expectStatus });
        return { status };
      },
    };
  },
});

const headersOf = ({ generation, hash }: Notice) => ({
  'user-agent': 'outrigger-config-reloader',
  'outrigger-generation': generation,
  'outrigger-hash': hash,
});

async function ask(url: URL, options: RequestOptions): Promise<number> {
  // TLS is loaded only by those who use it.
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  // Reloads are minutes apart: no agent, so no connection is kept for the next one.
  const asked = request(url, { ...options, agent: false }, (response) => {
    drain(response).then(() => resolve(response.statusCode ?? 0), reject);
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
