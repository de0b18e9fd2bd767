// What every source has to do, run over the list: the same document by every way, and the same end to whatever goes wrong.

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Fault } from '@outrigger/core';
import { type Scratch, scratch, until } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import { fetchDocument } from '../../src/fetch.ts';
import { sources } from '../../src/source/index.ts';

/** A peer that says something raw to whoever connects. */
type Peer = AsyncDisposable & { readonly target: string; readonly connections: number };
type Say = (socket: Socket) => void;

async function listen(say: Say, path?: string) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    say(socket);
  });
  server.listen(path === undefined ? { port: 0, host: '127.0.0.1' } : { path });
  await once(server, 'listening');
  return {
    address: path === undefined ? `127.0.0.1:${(server.address() as AddressInfo).port}` : path,
    get connections() {
      return sockets.size;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const peerOf = (server: Awaited<ReturnType<typeof listen>>, target: string): Peer => ({
  target,
  get connections() {
    return server.connections;
  },
  [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
});

const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\n\r\n';
const answering =
  (start: string, body: string | undefined): Say =>
  (socket) => {
    const answer = () => (body === undefined ? socket.write(`${start}<a>`) : socket.end(start + body));
    if (start) socket.once('data', answer);
    else answer();
  };

type Kit = {
  /** A target that gives this body; undefined is one that never ends. */
  serve(body: string | undefined, directory: Scratch): Promise<Peer>;
  /** A target that nobody serves. */
  absent(directory: Scratch): string;
  /** A file cannot keep anybody waiting. */
  readonly waits: boolean;
};

const kits: Readonly<Record<string, Kit>> = {
  http: {
    waits: true,
    async serve(body) {
      const server = await listen(answering(head, body));
      return peerOf(server, `http://${server.address}/x`);
    },
    absent: () => 'http://127.0.0.1:1/x',
  },
  unix: {
    waits: true,
    async serve(body, directory) {
      const server = await listen(answering(head, body), directory.join(`a ${body?.length}.sock`));
      return peerOf(server, `unix:${encodeURI(server.address)}:/x`);
    },
    absent: (directory) => `unix:${directory.join('none.sock')}:/x`,
  },
  tcp: {
    waits: true,
    async serve(body) {
      const server = await listen(answering('', body));
      return peerOf(server, `tcp://${server.address}`);
    },
    absent: () => 'tcp://127.0.0.1:1',
  },
  file: {
    waits: false,
    async serve(body = '', directory) {
      const path = directory.join('a b.xml');
      await writeFile(path, body);
      return { target: `file:${encodeURI(path)}`, connections: 0, [Symbol.asyncDispose]: async () => undefined };
    },
    absent: (directory) => `file:${directory.join('none.xml')}`,
  },
};

const fetchFrom = (target: string, { timeout = 5000, bodyLimit = 1000, signal = AbortSignal.timeout(timeout) } = {}) =>
  fetchDocument({ target: new URL(target), credentials: {}, timeout, bodyLimit, signal });

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: unknown) => (error instanceof Fault ? error.code : String(error)),
  );

for (const source of sources) {
  describe(`source ${source.schemes.join(', ')}`, () => {
    const kit = kits[source.schemes[0]!]!;

    test('accepts its own example', () => {
      const example = new URL(source.example);
      expect(source.schemes).toContain(example.protocol.slice(0, -1));
      expect(source.check(example)).toBe(undefined);
    });

    test('gives the document, whole', async () => {
      await using directory = await scratch();
      const body = `<a>${'ü'.repeat(400)}</a>`;
      await using peer = await kit.serve(body, directory);
      expect(Buffer.from((await fetchFrom(peer.target)).bytes).toString()).toBe(body);
    });

    test('reads a document of exactly the limit, and closes at the byte after it', async () => {
      await using directory = await scratch();
      await using exact = await kit.serve('x'.repeat(1000), directory);
      expect((await fetchFrom(exact.target)).bytes).toHaveLength(1000);
      await using more = await kit.serve('x'.repeat(1001), directory);
      expect(await codeOf(fetchFrom(more.target))).toBe('ADAPTER_DOCUMENT_TOO_LARGE');
      await until(() => more.connections === 0, { what: 'the connection to close' });
    });

    test('an empty document is no document', async () => {
      await using directory = await scratch();
      await using peer = await kit.serve('', directory);
      expect(await codeOf(fetchFrom(peer.target))).toBe('ADAPTER_DOCUMENT_EMPTY');
    });

    test('says that nobody is there', async () => {
      await using directory = await scratch();
      expect(await codeOf(fetchFrom(kit.absent(directory)))).toBe('ADAPTER_TARGET_UNREACHABLE');
    });

    if (kit.waits)
      test('gives up at the deadline and closes what is open', async () => {
        await using directory = await scratch();
        await using peer = await kit.serve(undefined, directory);
        expect(await codeOf(fetchFrom(peer.target, { timeout: 200 }))).toBe('ADAPTER_TARGET_TIMEOUT');
        await until(() => peer.connections === 0, { what: 'the connection to close' });
      });

    test('asks nobody when it is stopped already', async () => {
      await using directory = await scratch();
      await using peer = await kit.serve('<a/>', directory);
      expect(await codeOf(fetchFrom(peer.target, { signal: AbortSignal.abort() }))).toBe('ADAPTER_TARGET_TIMEOUT');
    });
  });
}

test.each([
  ['tcp://127.0.0.1', 'tcp://host:port is expected'],
  ['unix:relative.sock', 'unix:/path/of/the/socket:/path/of/the/page is expected'],
  ['unix:/', 'unix:/path/of/the/socket:/path/of/the/page is expected'],
  ['file://host/status.xml', 'file:/path/of/the/file is expected'],
  ['file:///', 'file:/path/of/the/file is expected'],
])('the target %s is refused before the start', (target, message) => {
  const url = new URL(target);
  expect(sources.find(({ schemes }) => schemes.includes(url.protocol.slice(0, -1)))?.check(url)).toBe(message);
});
