// From a declared route to the handler that the router calls.

import { type DeprecatedUse, deprecationHeaders } from './deprecation.ts';
import { problem } from './problem.ts';
import { inputReader } from './read-input.ts';
import { Refusal, type Route, splitRequest, successOf } from './route.ts';
import type { Handler, Reply, Router } from './router.ts';

export type Serving = {
  readonly router: Router;
  readonly deprecatedUse: DeprecatedUse;
};

/** @param state what the handler works on, or undefined while the sidecar is still starting */
export function serveRoute<S>(
  { router, deprecatedUse }: Serving,
  request: string,
  route: Route<S>,
  state: () => { readonly value: S } | undefined,
): void {
  const { method, path } = splitRequest(request);
  const handler = handlerOf(route, state);
  const { deprecated } = route;
  if (!deprecated) {
    router.add(method, path, handler);
    return;
  }
  const headers = deprecationHeaders(deprecated);
  router.add(method, path, async (received) => {
    deprecatedUse.count(request, deprecated);
    // Its problems say so too.
    const reply = await Promise.resolve(handler(received)).catch((error) => router.failed(error, received));
    return { ...reply, headers: { ...reply.headers, ...headers } };
  });
}

function handlerOf<S>(route: Route<S>, state: () => { readonly value: S } | undefined): Handler {
  const readInput = inputReader(route);
  const status = successOf(route);
  return async (received) => {
    const running = state();
    if (!running) return starting;
    const input = await readInput(received);
    if ('status' in input) return input;
    const answer = await route.handle(running.value, input as never);
    if (answer instanceof Refusal) return answer.reply;
    if (route.media === 'text/html') return { status, headers: pageHeaders, body: answer as string };
    if (route.media !== 'application/json') return answer as Reply;
    return route.response ? json(status, answer) : { status };
  };
}

const json = (status: number, body: unknown): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const starting = problem(503, 'STARTING', 'Still starting', {}, { 'retry-after': '1' });

// Pages are self-contained: inline style and script of our own, nothing from elsewhere, and no framing.
const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
};
