import { once } from 'node:events';
import { createServer } from 'node:http';
import { scratch, until } from '@outrigger/core/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { always, ask, dial, get, getAndClose, ok, RawApplication, type Serve } from './raw.ts';
import { type RunningProxy, startProxy } from './start-proxy.ts';

const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\r\n\r\n';

let application: RawApplication;
let proxy: RunningProxy;
beforeAll(async () => {
  application = await RawApplication.open();
  proxy = await startProxy({ upstream: application.url, flags: ['--upstream-idle-timeout', '30s'] });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await application[Symbol.asyncDispose]();
});

const become = async (serve: Serve) => {
  application.become(serve);
  await proxy.settled();
};

/** Sends a request and waits for its answer, so many times on one connection. */
async function repeat(request: string, times: number, through = proxy): Promise<string> {
  using client = await dial(through.port);
  for (let i = 1; i <= times; i++) {
    client.send(request);
    await until(() => client.text.match(/HTTP\/1\.1 \d/g)?.length === i && /(ok|})$/.test(client.text), {
      what: () => `answer ${i} in ${client.text}`,
    });
  }
  return client.text;
}

test('requests of many clients, one after the other, share one connection to the application', async () => {
  await become(always(ok));
  const opened = await proxy.growth('upstream_connections_total', async () => {
    for (let i = 0; i < 20; i++) expect(await ask(proxy.port, getAndClose)).toContain('200 OK');
  });
  expect(opened).toBe(1);
});

test.each([
  ['says close', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'],
  ['speaks HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['sends more than it said', `${ok}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`],
])('a connection whose application %s is not used again', async (_, response) => {
  await become(always(response));
  const text = await repeat(get, 3);
  expect(application.connections).toHaveLength(3);
  expect(text).not.toContain('poison');
});

test('octets on an idle connection reach nobody, and it is closed', async () => {
  await become(always(ok));
  using client = await dial(proxy.port);
  await client.send(get).until('ok');
  const [idle] = application.connections;
  const complaints = await proxy.growth('upstream_errors_total{reason="unasked"}', async () => {
    idle!.send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison');
    await idle!.untilEnd();
  });
  expect(complaints).toBe(1);
  client.send(get);
  await until(() => client.text.match(/200 OK/g)?.length === 2);
  expect(client.text).not.toContain('poison');
});

/** Answers the first request of each connection and resets when the second one comes, as if it had just timed out. */
const resetsOnReuse: Serve = (connection) => {
  if (connection.text.match(/HTTP\/1\.1/g)!.length === 1) connection.send(ok);
  else connection.socket.resetAndDestroy();
};

test('a GET that ran into a closing connection is sent once more on a new one', async () => {
  // One that has learned nothing of this application yet: it would not use the connections again.
  await using other = await startProxy({ upstream: application.url });
  application.become(resetsOnReuse);
  const retries = await other.growth('upstream_retries_total', async () => {
    expect(await repeat(get, 4, other)).not.toContain('502');
  });
  expect(retries).toBe(3);
});

test('a POST that ran into a closing connection is not sent twice', async () => {
  // As above.
  await using other = await startProxy({ upstream: application.url });
  application.become(resetsOnReuse);
  await repeat(get, 1, other);
  const races = await other.growth('upstream_errors_total{reason="keepalive_race"}', async () => {
    expect(await repeat(post, 1, other)).toContain('"code":"PROXY_UPSTREAM_CLOSED"');
  });
  expect(races).toBe(1);
  expect(application.connections).toHaveLength(1);
});

test('an idle connection that the application closed is not used, not even for a POST', async () => {
  await become(always(ok));
  using client = await dial(proxy.port);
  for (let i = 1; i <= 20; i++) {
    client.send(post);
    await until(() => client.text.match(/HTTP\/1\.1 \d/g)?.length === i && client.text.endsWith('ok'));
    application.connections.at(-1)!.socket.end();
  }
  expect(client.text).not.toContain('502');
});

test('a connection is closed by us before the application would close it', async () => {
  await using other = await RawApplication.open(always(ok));
  await using quick = await startProxy({ upstream: other.url, flags: ['--upstream-idle-timeout', '200ms'] });
  using client = await dial(quick.port);
  await client.send(get).until('ok');
  await other.connections[0]!.untilEnd();
  await quick.settled();
  client.send(get);
  await until(() => client.text.match(/200 OK/g)?.length === 2);
});

test('a name with several addresses is tried at each', async () => {
  await become(always(ok));
  const port = new URL(application.url).port;
  await using local = await startProxy({ upstream: `http://localhost:${port}` });
  expect(await ask(local.port, getAndClose)).toContain('200 OK');
});

test('a unix socket is an address like any other', async () => {
  await using directory = await scratch();
  const server = createServer((_, response) => response.end('over unix')).listen(directory.join('app.sock'));
  await once(server, 'listening');
  try {
    await using local = await startProxy({ upstream: `unix:${directory.join('app.sock')}` });
    expect(await ask(local.port, getAndClose)).toMatch(/over unix/);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
