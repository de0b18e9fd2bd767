// POST /v1/logs. 200 is said once all records of the request are safe, and never before; whoever is told anything else still
// has them and sends them again.

import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { address, integer, type Log, reasonOf, type Secret, secret, size } from '@outrigger/core';
import type { Intake } from '../intake.ts';
import type { Put } from '../spool/writer.ts';
import { Bodies, Refused } from './http-body.ts';
import { checkLines, contentOf, entriesOf } from './http-records.ts';
import { listenTcp } from './listen.ts';
import { definePushSource, leaving } from './push.ts';
import { Turns } from './turns.ts';

export const http = definePushSource({
  summary: 'POST /v1/logs: NDJSON, JSON or lines',
  parameters: {
    address: address({ default: '127.0.0.1:9880', help: 'Where to listen' }),
    token: secret({ optional: true, help: 'Bearer token that senders must have' }),
    bodyLimit: size({
      default: '8MiB',
      min: '1KiB',
      max: '64MiB',
      help: 'Largest body, before and after decompression',
    }),
    connections: integer({ default: '256', min: 1, max: 10_000, help: 'How many may be connected at a time' }),
  },

  async open({ parameters: { address, token, bodyLimit, connections }, log, intake }) {
    const bodies = new Bodies({ limit: bodyLimit, together: Math.max(0x2000000, 4 * bodyLimit) });
    const server = openServer(connections);
    const most = Math.max(fewestRecords, Math.floor(bodyLimit / leastRecord));
    const receiver = new Receiver({ intake, token, bodies, log, most });
    server.on('request', receiver.take);
    // Only whoever may send is asked to.
    server.on('checkContinue', receiver.take);
    const listening = await listenTcp(server, address, 'sourceHttpAddress');
    return {
      listening: `http://${listening}/v1/logs`,
      get troubles() {
        return receiver.full
          ? [{ path: listening, reason: 'senders are told to wait for room in the disk queue' }]
          : [];
      },
      async [Symbol.asyncDispose]() {
        const closed = new Promise((resolve) => server.close(resolve));
        server.closeIdleConnections();
        const timer = setTimeout(() => server.closeAllConnections(), leaving.most);
        await closed;
        clearTimeout(timer);
      },
    };
  },
});

function openServer(connections: number): Server {
  const server = createServer({
    maxHeaderSize: 0x4000,
    headersTimeout: 10_000,
    requestTimeout: 60_000,
    keepAliveTimeout: 30_000,
    connectionsCheckingInterval: 5_000,
    insecureHTTPParser: false,
  });
  server.maxConnections = connections;
  return server;
}

/** What is decoded at a time. */
const together = 0x1000000;
/**
 * An empty record is one byte for its sender, none once that is compressed, and a hundred for us. So a request may have no
 * more than these, or than are as short as this on average.
 */
const fewestRecords = 10_000;
const leastRecord = 16;

type Options = {
  readonly intake: Intake;
  readonly token: Secret | undefined;
  readonly bodies: Bodies;
  readonly log: Log;
  /** Records of one request. */
  readonly most: number;
};

class Receiver {
  readonly #options: Options;
  readonly #turns = new Turns(together);
  /** The last request found no room. */
  full = false;

  constructor(options: Options) {
    this.#options = options;
  }

  readonly take = (request: IncomingMessage, response: ServerResponse): void => {
    this.#answer(request, response).catch((error: unknown) => {
      if (error instanceof Refused) return refuse(response, error);
      const reason = reasonOf(error);
      if (request.socket.destroyed) return this.#options.log.debug('A sender has left', { source: 'http', reason });
      this.#options.log.error('A request could not be answered', { source: 'http', reason });
      refuse(response, new Refused(500, 'INTERNAL', 'Something is wrong here; try again'));
    });
  };

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#admit(request);
    const content = contentOf(request.headers['content-type']);
    if (request.headers.expect !== undefined) response.writeContinue();
    const from = { source: 'http', peer: request.socket.remoteAddress };
    const { intake, bodies, most } = this.#options;
    const put = await bodies.read(request, async (body): Promise<Put> => {
      // What is decoded takes several times as much.
      using _ = await this.#turns.take(body.length);
      if (content !== 'text') return intake.entries(entriesOf(body, content, most), from, body.length);
      checkLines(body, most);
      return intake.lines(body, from);
    });
    this.full = put === 'full';
    if (put === 'full') throw new Refused(429, 'QUEUE_FULL', 'The disk queue has no room; try again');
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"accepted":true}\n');
  }

  #admit({ method, url, headers }: IncomingMessage): void {
    if (url?.split('?')[0] !== '/v1/logs') throw new Refused(404, 'NOT_FOUND', 'Records are taken by POST /v1/logs');
    if (method !== 'POST') throw new Refused(405, 'METHOD', 'Records are taken by POST');
    const { token } = this.#options;
    if (token) {
      const given = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
      if (given === undefined || !sameSecret(given, token.read()))
        throw new Refused(401, 'TOKEN', 'A valid bearer token is required');
    } else if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined)
      // A page that somebody was lured to can send to this address, too.
      throw new Refused(403, 'FROM_A_PAGE', 'Pages may send records only with a token');
  }
}

// Hashing first makes both sides equally long, so that the time says nothing about the length either.
const sameSecret = (a: string, b: string) => timingSafeEqual(digest(a), digest(b));
const digest = (text: string) => createHash('sha256').update(text).digest();

const seconds = 1;

/** What is still coming is not waited for. */
function refuse(response: ServerResponse, { status, code, message }: Refused): void {
  if (response.headersSent) return void response.destroy();
  const body = JSON.stringify({ type: 'about:blank', title: titles[status], status, code, detail: message });
  response.writeHead(status, {
    'content-type': 'application/problem+json',
    ...(status === 429 && { 'retry-after': String(seconds) }),
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(status === 405 && { allow: 'POST' }),
    ...(!response.req.complete && { connection: 'close' }),
  });
  response.end(`${body}\n`, () => {
    if (response.req.complete) return;
    // Closing at once would take the answer back from a client that is still sending.
    response.req.resume();
    setTimeout(() => response.req.socket.destroy(), 1000).unref();
  });
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
};
