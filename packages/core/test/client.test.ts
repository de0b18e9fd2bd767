import { spawn } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { ClientError, openClient, ProblemError } from '../src/client/client.ts';
import { EventReader } from '../src/client/read-events.ts';
import { freePort, scratch, startSidecar, until } from '../src/testing/index.ts';
import type { routes } from './fixtures/shop-routes.ts';

const shop = import.meta.resolve('./fixtures/shop.ts');
type Shop = typeof routes;

async function server(
  handler: RequestListener,
  path?: string,
): Promise<AsyncDisposable & { url: string; server: Server }> {
  const listening = createServer(handler);
  if (path === undefined) listening.listen(0, '127.0.0.1');
  else listening.listen(path);
  await once(listening, 'listening');
  const { port } = (path === undefined ? listening.address() : { port: 0 }) as AddressInfo;
  return {
    server: listening,
    url: path === undefined ? `http://127.0.0.1:${port}` : `unix:${path}`,
    [Symbol.asyncDispose]: async () => {
      listening.closeAllConnections();
      listening.close();
    },
  };
}

const problemOf = (asked: Promise<unknown>): Promise<ProblemError> =>
  asked.then(
    () => expect.unreachable(),
    (error: unknown) => {
      expect(error).toBeInstanceOf(ProblemError);
      return error as ProblemError;
    },
  );
const codeOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => expect.unreachable(),
    (error: unknown) => {
      expect(error).toBeInstanceOf(ClientError);
      return (error as ClientError).code;
    },
  );

describe('a sidecar', () => {
  test('is asked with the types of its routes: path, query, body and answer', async () => {
    await using sidecar = await startSidecar(shop, []);
    using client = openClient<Shop>(sidecar.url);
    const item = await client.request('GET /v1/items/{id}', { path: { id: 7 } });
    expectTypeOf(item).toEqualTypeOf<{ id: number }>();
    expect(item).toEqual({ id: 7 });
    expect(await client.request('GET /v1/names/{name}', { path: { name: 'a/b ü%' } })).toEqual({ name: 'a/b ü%' });
    const query = { limit: 3, loud: true, tag: ['a b', 'c&d'], size: [1.5, -2] };
    expect(await client.request('GET /v1/items', { query })).toEqual({ ...query, sort: 'up' });
    expect(await client.request('GET /v1/items')).toMatchObject({ loud: false });
    const body = { name: 'tea', price: 2.5 };
    expect(await client.request('POST /v1/items', { body })).toEqual(body);
    const nothing = await client.request('DELETE /v1/items/{id}', { path: { id: 1 } });
    expectTypeOf(nothing).toEqualTypeOf<undefined>();
    expect(nothing).toBe(undefined);
    const self = await client.request('GET /v1');
    expectTypeOf(self.phase).toEqualTypeOf<'starting' | 'serving' | 'leaving' | 'stopping'>();
    expect(self).toMatchObject({ role: 'shop', phase: 'serving' });
    expect(await client.text('GET /metrics')).toContain('outrigger_build_info');

    // @ts-expect-error: there is no such route
    const unknown = client.request('GET /v1/nothing');
    expect((await problemOf(unknown)).code).toBe('NOT_FOUND');
    // @ts-expect-error: the path needs an id
    await expect(client.request('GET /v1/items/{id}', {})).rejects.toThrow('/v1/items/{id} needs id');
    // @ts-expect-error: the price is a number
    const wrong = client.request('POST /v1/items', { body: { name: 'tea', price: 'much' } });
    expect((await problemOf(wrong)).code).toBe('INVALID_REQUEST');
    // @ts-expect-error: text is asked for by text()
    expect(await codeOf(client.request('GET /metrics'))).toBe('INVALID_JSON');
  });

  test('that refuses throws a ProblemError with its status, code, detail and hint', async () => {
    await using sidecar = await startSidecar(shop, []);
    using client = openClient<Shop>(sidecar.url);
    const problem = await problemOf(client.request('POST /v1/items', { body: { name: 'gold', price: 1 } }));
    expect(problem).toMatchObject({
      status: 409,
      code: 'SHOP_SOLD_OUT',
      detail: 'gold is sold out',
      hint: 'Come again tomorrow',
      problem: { title: 'Conflict' },
      message: 'POST /v1/items answered 409 SHOP_SOLD_OUT: gold is sold out',
    });
    const invalid = await problemOf(client.request('GET /v1/items', { query: { limit: 1000 } }));
    expect(invalid.problem).toMatchObject({ errors: [{ in: 'query', path: 'limit' }] });
  });

  test('that is still starting says when to come again', async () => {
    await using sidecar = await startSidecar(shop, ['--slow-start'], { wait: false });
    await until(() => sidecar.url);
    using client = openClient<Shop>(sidecar.url);
    expect(await problemOf(client.request('GET /v1/items'))).toMatchObject({ code: 'STARTING', retryAfter: 1000 });
    const startup = await client.probe('startupz');
    expect(startup).toMatchObject({
      status: 503,
      ok: false,
      checks: [{ name: 'start', ok: false, reason: expect.any(String), since: expect.stringMatching(/^\d{4}-/) }],
    });
  });

  test('answers probes as results', async () => {
    await using sidecar = await startSidecar(shop, []);
    using client = openClient(sidecar.url);
    expect(await client.probe('livez')).toMatchObject({ status: 200, ok: true, checks: [] });
    const { checks } = await client.probe('readyz', { verbose: true });
    expect(checks).toContainEqual({ name: 'start', ok: true });
    await client.request('POST /v1/prestop');
    const leaving = await client.probe('readyz');
    expect(leaving.checks).toEqual([
      { name: 'start', ok: true },
      { name: 'leaving', ok: false, reason: 'the Pod is going', since: expect.any(String) },
    ]);
    expect((await client.probe('readyz', { exclude: ['leaving'] })).ok).toBe(true);
    expect((await client.probe('readyz', { name: 'start' })).ok).toBe(true);
    expect((await client.probe('readyz', { name: 'no such check' })).status).toBe(404);
  });

  test('with a token is given it, also when it changes', async () => {
    await using directory = await scratch();
    await writeFile(directory.join('token'), 'first');
    await using sidecar = await startSidecar(shop, ['--admin-token-file', directory.join('token')]);
    let token = 'wrong';
    using client = openClient<Shop>(sidecar.url, { token: { read: () => token } });
    const change = () => client.request('POST /v1/notes', { body: { text: 'a' } });
    expect(await problemOf(change())).toMatchObject({ status: 401, code: 'TOKEN' });
    token = 'first';
    expect(await change()).toEqual({ text: 'a' });
    using without = openClient<Shop>(sidecar.url);
    expect((await problemOf(without.request('POST /v1/prestop'))).status).toBe(401);
  });

  test('is asked by the highest version that both sides know', async () => {
    await using sidecar = await startSidecar(shop, []);
    using client = openClient<Shop>(sidecar.url);
    expect(await client.version('v1')).toBe('v1');
    expect(await client.version('v1', 'v2', 'v10')).toBe('v2');
    await expect(client.version('v3')).rejects.toMatchObject({
      code: 'NO_COMMON_VERSION',
      message: 'it has v1, v2, not v3',
    });
    await using newer = await server((_, response) => {
      response.writeHead(404, { 'content-type': 'application/problem+json' });
      response.end('{"status":404,"code":"UNKNOWN_VERSION","detail":"There is no API v1","versions":["v9","v10"]}');
    });
    using other = openClient(newer.url);
    expect(await other.version('v1', 'v9', 'v10')).toBe('v10');
  });
});

describe('an answer', () => {
  test('that does not come in time, is given up, or is not waited for, ends at once', async () => {
    await using sidecar = await startSidecar(shop, []);
    const client = openClient<Shop>(sidecar.url, { timeout: 100 });
    expect(await codeOf(client.request('GET /v1/slow'))).toBe('TIMEOUT');
    const given = new AbortController();
    const aborted = client.request('GET /v1/slow', { timeout: 60_000, signal: given.signal });
    given.abort(new Error('not needed'));
    await expect(aborted).rejects.toThrow('not needed');
    await expect(client.request('GET /v1', { signal: given.signal })).rejects.toThrow('not needed');
    const cut = client.request('GET /v1/slow', { timeout: 60_000 });
    client.close();
    expect(await codeOf(cut)).toBe('CLOSED');
    expect(await codeOf(client.request('GET /v1'))).toBe('CLOSED');
  });

  test('that drips or does not end is bounded in time and size', async () => {
    let sent = 0;
    await using endless = await server(({ url }, response) => {
      const drip = url === '/v1' ? setInterval(() => response.write(' '), 10) : undefined;
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) sent += 65_536;
        if (!response.destroyed) response.once('drain', more);
      };
      if (!drip) more();
      response.on('close', () => clearInterval(drip));
    });
    using client = openClient(endless.url, { timeout: 300, maxBody: 1024 * 1024 });
    expect(await codeOf(client.request('GET /v1'))).toBe('TIMEOUT');
    expect(await codeOf(client.request('GET /v1/status'))).toBe('BODY_TOO_LARGE');
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  test.each([
    ['nothing listens', undefined, 'ECONNREFUSED'],
    ['it closes at once', '', 'ECONNRESET'],
    ['it speaks another protocol', 'SSH-2.0-x\r\n', 'HPE_INVALID_CONSTANT'],
    ['it is cut off', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{', 'ECONNRESET'],
    ['it is no JSON', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello', 'INVALID_JSON'],
  ])('is none when %s', async (_, says, code) => {
    const peer = createTcpServer((socket) => socket.on('error', () => undefined).end(says ?? ''));
    const port = says === undefined ? await freePort() : 0;
    if (says !== undefined) await once(peer.listen(0, '127.0.0.1'), 'listening');
    using client = openClient({ host: '127.0.0.1', port: port || (peer.address() as AddressInfo).port });
    expect(await codeOf(client.request('GET /v1'))).toBe(code);
    peer.close();
  });

  test('of another status than 2xx without a problem has the status as code; redirects are not followed', async () => {
    await using peer = await server((_, response) => {
      response.writeHead(302, { location: 'http://169.254.169.254/' }).end('<b>elsewhere</b>\n');
    });
    using client = openClient(peer.url);
    expect(await problemOf(client.request('GET /v1'))).toMatchObject({ code: 'HTTP_302', detail: '<b>elsewhere</b>' });
    expect(await client.send({ method: 'GET', path: '/x' })).toMatchObject({ status: 302, text: '<b>elsewhere</b>\n' });
  });
});

describe('a connection', () => {
  test('is kept for the next question; one that was closed meanwhile is replaced, and no change is sent twice', async () => {
    const asked: string[] = [];
    let connections = 0;
    await using peer = await server(({ method, url, socket }, response) => {
      asked.push(`${method} ${url}`);
      // The second question on a connection finds it closed.
      if (asked.filter((each) => each === 'GET /v1/status').length === 2) socket.destroy();
      else response.end('{}');
    });
    peer.server.on('connection', () => {
      connections += 1;
    });
    using client = openClient(peer.url);
    await client.request('GET /v1/status');
    await client.request('GET /v1/status');
    expect(asked).toEqual(['GET /v1/status', 'GET /v1/status', 'GET /v1/status']);
    expect(connections).toBe(2);
    await client.request('POST /v1/prestop');
    expect(connections).toBe(3);
    await using rude = await server(({ method, socket }) => {
      asked.push(method!);
      socket.destroy();
    });
    using other = openClient(rude.url);
    expect(await codeOf(other.request('POST /v1/prestop'))).toBe('ECONNRESET');
    expect(asked.filter((each) => each === 'POST')).toHaveLength(1);
  });

  test('goes through a Unix socket, or to a path under a URL', async () => {
    await using directory = await scratch();
    const seen: unknown[] = [];
    const handler: RequestListener = ({ url, headers }, response) => {
      seen.push([url, headers.host]);
      response.end('{}');
    };
    await using local = await server(handler, directory.join('admin.sock'));
    using client = openClient(local.url);
    await client.request('GET /v1');
    await using peer = await server(handler);
    using under = openClient(new URL('/sidecars/proxy/', peer.url));
    await under.request('GET /v1/status');
    expect(seen).toEqual([
      ['/v1', 'localhost'],
      ['/sidecars/proxy/v1/status', new URL(peer.url).host],
    ]);
    expect(() => openClient('https://127.0.0.1:1')).toThrow('A URL such as http://127.0.0.1:9400 is expected');
  });

  test('leaves nothing behind: no listener on the signal, no handle that keeps the process', async () => {
    await using sidecar = await startSidecar(shop, []);
    const { signal } = new AbortController();
    using client = openClient<Shop>(sidecar.url);
    for (let asked = 0; asked < 50; asked++) await client.request('GET /v1', { signal });
    await problemOf(client.request('GET /v1/items', { query: { limit: 101 }, signal }));
    await codeOf(client.request('GET /v1/slow', { timeout: 20, signal }));
    await until(() => getEventListeners(signal, 'abort').length === 0);
    const script = `import { openClient } from ${JSON.stringify(import.meta.resolve('../src/client/client.ts'))};
      const client = openClient(${JSON.stringify(sidecar.url)});
      console.log((await client.request('GET /v1')).role);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output, [code]] = await Promise.all([textOf(child.stdout), once(child, 'close')]);
    expect([output, code]).toEqual(['shop\n', 0]);
  });
});

describe('events', () => {
  test('come in order, go on after the last one that is known, and end when the signal aborts', async () => {
    await using sidecar = await startSidecar(shop, []);
    using client = openClient<Shop>(sidecar.url);
    await client.request('POST /v1/burst', { body: { count: 5 } });
    const seen: unknown[] = [];
    const enough = new AbortController();
    let third = '';
    for await (const { id, type, time, data } of client.events({ types: ['tick'], signal: enough.signal })) {
      expect([type, new Date(time).toISOString()]).toEqual(['tick', time]);
      seen.push(data.number);
      if (data.number === 3) third = id;
      if (seen.length === 5) enough.abort();
    }
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    for await (const { data } of client.events({ after: third, types: ['tick'] })) {
      seen.push(data.number);
      if (data.number === 5) break;
    }
    expect(seen.slice(5)).toEqual([4, 5]);
    expect(getEventListeners(enough.signal, 'abort')).toHaveLength(0);
  });

  test('go on after the sidecar was started again, with a gap', async () => {
    const adminAddress = `127.0.0.1:${await freePort()}`;
    await using first = await startSidecar(shop, [], { adminAddress });
    using client = openClient<Shop>(`http://${adminAddress}`);
    const seen: string[] = [];
    const done = (async () => {
      for await (const { type, data } of client.events({ types: ['started', 'tick'] })) {
        seen.push(type === 'gap' ? `gap ${data.reason}` : type);
        if (type === 'tick') return;
      }
    })();
    await until(() => seen.includes('started'));
    first.kill('SIGTERM');
    await first.exited;
    await using second = await startSidecar(shop, [], { adminAddress });
    await client.request('POST /v1/burst', { body: { count: 1 } });
    await done;
    expect(second.pid).not.toBe(first.pid);
    expect(seen).toEqual(['started', 'stopped', 'gap restarted', 'started', 'tick']);
  });

  test('wait for a slow reader, and nothing is lost that the sidecar keeps', async () => {
    await using sidecar = await startSidecar(shop, []);
    using client = openClient<Shop>(sidecar.url);
    const events = client.events({ types: ['tick'] });
    const first = events.next();
    await client.request('POST /v1/burst', { body: { count: 500, bytes: 1024 } });
    expect((await first).value).toMatchObject({ data: { number: 1 } });
    await client.request('POST /v1/burst', { body: { count: 500, bytes: 1024 } });
    const numbers: unknown[] = [];
    for await (const { data } of events) {
      numbers.push(data.number);
      if (numbers.length === 999) break;
    }
    expect(numbers.slice(0, 499)).toEqual(Array.from({ length: 499 }, (_, index) => index + 2));
    expect(numbers.slice(499)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
  });

  test('are asked for again after a stream that is silent, cut, refused for the moment; not when refused for good', async () => {
    const asked: (string | undefined)[] = [];
    await using peer = await server(({ headers }, response) => {
      asked.push(headers['last-event-id']?.toString());
      const stream = { 'content-type': 'text/event-stream' };
      if (asked.length === 1) return response.writeHead(503, { 'retry-after': '0' }).end();
      if (asked.length === 2)
        return response.writeHead(200, stream).write('retry: 1\n\nid: r-1\nevent: a\ndata: {}\n\n');
      if (asked.length === 3)
        return response
          .writeHead(200, stream)
          .write('id: r-2\nevent: b\ndata: {}\n\nid: r-3\nda', () => response.destroy());
      if (asked.length === 4) return response.writeHead(200, stream).end('id: r-4\nevent: c\ndata: {}\n\n');
      return response
        .writeHead(401, { 'content-type': 'application/problem+json' })
        .end('{"code":"TOKEN","detail":"no"}');
    });
    using client = openClient(peer.url);
    const seen: string[] = [];
    const all = (async () => {
      for await (const { id, type } of client.events({ silence: 200 })) seen.push(`${type} ${id}`);
    })();
    expect(await problemOf(all)).toMatchObject({ status: 401, code: 'TOKEN' });
    expect(seen).toEqual(['a r-1', 'b r-2', 'c r-4']);
    expect(asked).toEqual([undefined, undefined, 'r-1', 'r-2', 'r-4']);
  });

  test('are not asked for at once when the answer puts it off for longer than a timer runs', async () => {
    let asked = 0;
    await using peer = await server((_, response) => {
      asked++;
      response.writeHead(503, { 'retry-after': '3000000' }).end();
    });
    using client = openClient(peer.url);
    const over = new AbortController();
    const first = client.events({ signal: over.signal }).next();
    await until(() => asked > 0);
    // A timer that fires at once would have asked again among these.
    for (let turn = 0; turn < 20; turn++) expect((await client.send({ method: 'GET', path: '/' })).status).toBe(503);
    expect(asked).toBe(21);
    over.abort();
    expect(await first).toEqual({ done: true, value: undefined });
  });

  test('end with CLOSED when the client is closed', async () => {
    await using sidecar = await startSidecar(shop, []);
    const client = openClient(sidecar.url);
    const events = client.events();
    await events.next();
    client.close();
    const rest = (async () => {
      for await (const _ of events);
    })();
    expect(await codeOf(rest)).toBe('CLOSED');
  });

  test('are read whatever the line ends and wherever the text is cut', () => {
    const text =
      ': comment\r\n\r\nid: 1\r\nevent: a\r\ndata: {"time":"t",\r\ndata: "x":1}\r\n\r\n' +
      'event: empty\n\nid: 2\rdata:{"time":"u"}\r\rretry: 5\nretry: x\nunknown: y\nid: 3\nevent: b\ndata: {"y":"ü"}\n\n';
    const expected = [
      { id: '1', type: 'a', time: 't', data: { x: 1 } },
      { id: '2', type: 'message', time: 'u', data: {} },
      { id: '3', type: 'b', time: 'undefined', data: { y: 'ü' } },
    ];
    for (let size = 1; size <= text.length; size++) {
      const reader = new EventReader();
      const parts = text.match(new RegExp(`[^]{1,${size}}`, 'g'))!;
      expect(parts.flatMap((part) => [...reader.feed(part)])).toEqual(expected);
      expect([reader.id, reader.retry]).toEqual(['3', 5]);
    }
    const endless = () => [...new EventReader().feed(`data: ${'x'.repeat(2 * 1024 * 1024)}`)];
    expect(endless).toThrow('an event is longer than');
    expect(() => [...new EventReader().feed('data: x\n\n')]).toThrow('no JSON');
  });
});

test('the client loads nothing of the server: no schema, no metrics, no log', async () => {
  const script = `import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    await import(${JSON.stringify(import.meta.resolve('../src/client/client.ts'))});
    console.log(JSON.stringify(loaded));`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const loaded = JSON.parse(await textOf(child.stdout)) as string[];
  const core = fileURLToPath(import.meta.resolve('../src/'));
  const own = loaded.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url).replace(core, ''));
  expect(own).toContain('client/client.ts');
  expect(own.filter((file) => /node_modules|^admin\/|^metrics|^log/.test(file))).toEqual([]);
  expect(own.length).toBeLessThan(16);
});
