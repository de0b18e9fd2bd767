// From a request to its answer: what can be answered at once is, the rest waits its turn on its connection.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Bodies } from './bodies.ts';
import type { Connection, Connections } from './connections.ts';
import { Received, send } from './exchange.ts';
import { problem } from './problem.ts';
import type { Reply, Router } from './router.ts';

type Handle = (incoming: IncomingMessage, response: ServerResponse, awaitsContinue: boolean) => void;

/** The listener of 'request' and, with `awaitsContinue`, of 'checkContinue'. */
export function serve(router: Router, connections: Connections): Handle {
  const bodies = new Bodies();
  return (incoming, response, awaitsContinue) => {
    const connection = connections.of(incoming.socket);
    if (!connection || connection.deaf) return;
    const target = targetOf(incoming);
    if (typeof target !== 'string') {
      connections.deafen(connection);
      transmit(connection, response, target);
      return;
    }
    const request = new Received(incoming, response, { target, awaitsContinue, bodies });
    // While a body is being parsed, nobody knows whether all of it is there.
    if (connection.handling === 0 && incoming.readableEnded) {
      const reply = router.answer(request);
      if (reply instanceof Promise) void inTurn(() => reply);
      else {
        transmit(connection, response, reply, request);
        connections.touch(connection);
      }
      return;
    }
    void inTurn(() => router.answer(request));

    /** Pipelined requests are handled one after the other, so that their answers do not pile up. */
    async function inTurn(answer: () => Reply | Promise<Reply>): Promise<void> {
      const before = connection!.last;
      if (!connections.begin(connection!)) return;
      connection!.last = answered();
      await connection!.last;
      connections.end(connection!);

      async function answered(): Promise<void> {
        await before;
        // It may be gone, or was refused while its body came.
        if (!incoming.socket.writable) return;
        const reply = await answer();
        if (incoming.socket.writable) transmit(connection!, response, reply, request);
      }
    }
  };

  function transmit(connection: Connection, response: ServerResponse, reply: Reply, request?: Received): void {
    const { body = '' } = reply;
    const streams = typeof body === 'function' && response.req.method !== 'HEAD';
    if (streams) connections.stream(connection);
    try {
      send(response, reply);
    } catch (error) {
      // A route whose reply cannot be sent.
      const failure = router.failed(error, request!);
      if (response.headersSent) connection.socket.destroy();
      else send(response, failure);
    }
    if (!streams) connections.count(connection, response, body.length);
  }
}

/**
 * The target in origin form, or the reply that refuses the request: names of two sidecars in one request, or none, could
 * make one be checked and another be meant.
 */
function targetOf(incoming: IncomingMessage): string | Reply {
  const target = incoming.url!;
  if (incoming.httpVersionMajor !== 1) return wrongVersion;
  const hosts = countHosts(incoming.rawHeaders);
  if (hosts > 1 || (hosts === 0 && incoming.httpVersionMinor > 0)) return wrongHost;
  // What a URL cannot hold has to be encoded.
  if (target.startsWith('/')) return /^[\x21-\x7e]+$/.test(target) ? target : wrongTarget;
  // The form that is meant for proxies. Servers must take it, too.
  const [, authority, rest = ''] = /^http:\/\/([^/?#]+)([/?][\x21-\x7e]*)?$/i.exec(target) ?? [];
  if (authority === undefined) return wrongTarget;
  if (authority !== incoming.headers.host) return wrongHost;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Without making an object of all headers, which a probe does not need. */
function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts;
}

// Whatever follows such a request may not be what its sender takes it for.
const last = { connection: 'close' };
const wrongVersion = problem(505, 'HTTP_VERSION', 'HTTP/1.1 or HTTP/1.0 is expected', {}, last);
const wrongHost = problem(400, 'INVALID_HOST', 'One Host header is expected, the same as in the target', {}, last);
const wrongTarget = problem(400, 'INVALID_TARGET', 'A path such as /readyz is expected', {}, last);
