import { writeFile } from 'node:fs/promises';
import { scratch, until } from '@outrigger/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dialTls, reset } from './bad-inputs/ways.ts';
import { H2Client } from './http2/start.ts';
import { always, ask, dial, get, ok, RawApplication } from './raw.ts';
import { type RunningProxy, startProxy } from './start-proxy.ts';

let application: RawApplication;
let proxy: RunningProxy;
let secure: RunningProxy;
beforeAll(async () => {
  application = await RawApplication.open(always(ok));
  await using directory = await scratch();
  const file = directory.join('routes.yaml');
  const secret = 'request: { set: { Authorization: Basic c2VjcmV0 } }';
  const rules = [
    '{ name: admin, path: /admin, deny: 403 }',
    '{ name: old, path: /old, redirect: { to: /new, keepPath: true } }',
    `{ name: api, host: api.example, path: /v1, upstream: '${application.url}', replacePrefix: /v2, ${secret} }`,
  ];
  await writeFile(file, `rules: [${rules.join(', ')}]\n`);
  [proxy, secure] = await Promise.all([
    startProxy({ upstream: application.url, flags: ['--routes-file', file] }),
    startProxy({ upstream: application.url, tls: true }),
  ]);
});
afterAll(async () => {
  await Promise.all([proxy[Symbol.asyncDispose](), secure[Symbol.asyncDispose]()]);
  await application[Symbol.asyncDispose]();
});

const read = async ({ sidecar }: RunningProxy, path: string) => (await sidecar.get(path)).json();
const explain = async (asked: Record<string, string>) =>
  (await read(proxy, `/v1/explain?${new URLSearchParams(asked)}`)) as Record<string, unknown>;

describe('/v1/explain', () => {
  test.each([
    ['/admin', 'a.example'],
    ['/x/..//%61dmin;y', 'a.example'],
    ['/old/a/../b?c', 'a.example'],
    ['/v1/x?y', 'api.example'],
    ['/v1/x?y', 'API.example.:8443'],
    ['/v1/x', 'other.example'],
    ['/x/..%2fadmin', 'a.example'],
    ['/%00', 'a.example'],
    ['http://a.example/admin', 'a.example'],
    ['http://b.example/', 'a.example'],
    ['//evil.example/', 'a.example'],
    ['/', 'a b'],
    ['nonsense', 'a.example'],
  ])('says of %s at %s what becomes of it', async (path, host) => {
    application.become(always(ok));
    const { action, status, reason, location, rule, forwardedPath } = await explain({ path, host });
    const answer = await ask(proxy.port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    const [request = ''] = application.connections.map(({ text }) => text);
    if (action === 'forward') {
      expect(answer).toMatch(/^HTTP\/1\.1 200 /);
      expect(request.split(' ')[1]).toBe(forwardedPath);
      expect(request.includes('Basic c2VjcmV0')).toBe(rule === 'api');
    } else {
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(request).toBe('');
      if (action === 'redirect') expect(answer).toContain(`\r\nLocation: ${location}\r\n`);
      if (action === 'refuse') expect(answer).toContain(`"reason":"${reason}"`);
    }
  });

  test.each<Record<string, string>>([
    { path: '/ HTTP/1.1\r\nHost: api.example\r\n\r\nGET /admin' },
    { path: '/', host: 'a\r\nX-Forwarded-For: 10.0.0.1' },
    { path: '/', host: 'a\r\n\r\nGET /admin HTTP/1.1\r\nHost: a' },
    { path: '/', method: 'GET /admin HTTP/1.1\r\nHost: a\r\n\r\nGET' },
    { path: '/\0' },
    { path: `/${'x'.repeat(10_000)}` },
  ])('takes nothing in a question for more than a question: %j', async (asked) => {
    expect(await explain(asked)).toMatchObject({ action: 'refuse', why: [] });
  });

  test('counts nothing and asks nobody', async () => {
    application.become(always(ok));
    const before = await Promise.all(
      ['requests_total{code="4xx"}', 'refusals_total{reason="denied"}'].map(proxy.metric),
    );
    await explain({ path: '/admin', host: 'a' });
    await explain({ path: '/', host: 'a' });
    const after = await Promise.all(
      ['requests_total{code="4xx"}', 'refusals_total{reason="denied"}'].map(proxy.metric),
    );
    expect(after).toEqual(before);
    expect(application.connections).toEqual([]);
  });
});

test('/v1/routes lists the rules in their order, and no value of a header', async () => {
  const rules = (await read(proxy, '/v1/routes')) as object[];
  expect(rules).toMatchObject([
    { name: 'admin', action: 'deny', status: 403 },
    { name: 'old', action: 'redirect', location: '/new' },
    { name: 'api', action: 'forward', host: 'api.example', upstream: `${application.url}/` },
  ]);
  expect(JSON.stringify(rules)).not.toContain('c2VjcmV0');
  expect(await read(secure, '/v1/routes')).toEqual([]);
});

test('/v1/certificates is empty without TLS, and holds no key with it', async () => {
  expect(await read(proxy, '/v1/certificates')).toEqual([]);
  const shown = JSON.stringify(await read(secure, '/v1/certificates'));
  expect(shown).toContain('"subject":"CN=localhost"');
  expect(shown).not.toMatch(/PRIVATE|BEGIN/);
});

describe('/v1/connections', () => {
  type Listed = { readonly client: string; readonly protocol: string; readonly state: string };
  const list = async (of: RunningProxy) => (await read(of, '/v1/connections')) as Listed[];

  test('shows what each speaks and does, over TLS and without', async () => {
    application.become((connection, arrived) => {
      if (arrived.includes('/much')) connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${1 << 26}\r\n\r\n`);
      if (arrived.includes('/much')) connection.send(Buffer.alloc(1 << 26));
      if (arrived.includes('/quick')) connection.send(ok);
    });
    const to = (path: string) => get.replace('/', path);
    using h2 = await H2Client.open(secure.port);
    using waits = await dialTls(secure);
    using slow = await dial(proxy.port);
    await h2.get('/quick');
    waits.send(to('/waits'));
    await until(() => application.connections.some(({ text }) => text.includes('/waits')));
    slow.socket.pause();
    slow.send(to('/much'));
    const unsent = await until(async () =>
      (await list(proxy)).find((each) => each.state === 'active' && (each as { unsentBytes?: number }).unsentBytes),
    );
    expect(unsent).toEqual({
      ...{ client: expect.stringMatching(/^127\.0\.0\.1:\d+$/), protocol: 'http/1.1', state: 'active', requests: 1 },
      ...{ since: expect.stringMatching(/^\d{4}-.*Z$/), unsentBytes: expect.any(Number) },
    });
    const tls = { version: 'TLSv1.3', cipher: expect.stringMatching(/^TLS_/) };
    expect((await list(secure)).sort((a, b) => a.protocol.localeCompare(b.protocol))).toMatchObject([
      { protocol: 'h2', state: 'idle', requests: 1, unsentBytes: 0, tls },
      { protocol: 'http/1.1', state: 'active', requests: 1, unsentBytes: 0, tls },
    ]);
    // An end alone would mean that they still want their answers.
    for (const client of [waits, slow]) reset(client);
  });

  test('is empty when all have gone', async () => {
    await until(async () => (await list(proxy)).length + (await list(secure)).length === 0);
  });
});
