import { writeFile } from 'node:fs/promises';
import { type Scratch, scratch, until } from '@outrigger/core/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { always, ask, dial, RawApplication } from '../raw.ts';
import { type RunningProxy, startProxy } from '../start-proxy.ts';

const response = 'HTTP/1.1 200 OK\r\nServer: legacy\r\nX_Frame: no\r\nContent-Length: 2\r\n\r\n';
const rules = (upstream: string) => `
rules:
  - { name: admin, path: /admin, deny: 403 }
  - { name: old, path: /old, redirect: { to: 'https://example.com/new', keepPath: true } }
  - name: api
    path: /api
    upstream: ${upstream}
    replacePrefix: /v2
    bodyLimit: 4B
    request: { set: { X-Team: api }, add: { X-More: b }, remove: [X-Debug] }
    response: { set: { Cache-Control: no-store }, remove: [Server] }
`;

let directory: Scratch;
let application: RawApplication;
let api: RawApplication;
let proxy: RunningProxy;
let file: string;
beforeAll(async () => {
  directory = await scratch();
  application = await RawApplication.open();
  api = await RawApplication.open();
  file = directory.join('routes.yaml');
  await writeFile(file, rules(api.url));
  proxy = await startProxy({ upstream: application.url, flags: ['--routes-file', file] });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await application[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});
beforeEach(() => {
  application.become(always(`${response}ok`));
  api.become(always(`${response}v2`));
});

const send = (target: string, fields = '', method = 'GET', body = '') =>
  ask(proxy.port, `${method} ${target} HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n${fields}\r\n${body}`);
const got = ({ connections }: RawApplication) => connections.map(({ text }) => text);

test('a request goes where its rule says, changed as it says, and so comes back the response', async () => {
  const answer = await send('/x/../api//a?q', 'x_team: mine\r\nX-Debug: 1\r\nX_DEBUG: 2\r\nX-More: a\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nv2$/s);
  expect(answer).toContain('\r\nCache-Control: no-store\r\n');
  expect(answer).not.toContain('legacy');
  expect(got(application)).toEqual([]);
  const [request] = got(api);
  expect(request).toMatch(/^GET \/v2\/a\?q HTTP\/1\.1\r\n/);
  expect(request).not.toMatch(/debug|mine/i);
  expect(request).toContain('\r\nX-More: a\r\n');
  expect(request).toContain('\r\nX-Team: api\r\nX-More: b\r\n');
});

test('what no rule is for goes on as it came', async () => {
  expect(await send('/%41;b//c?%zz')).toMatch(/\r\n\r\nok$/);
  expect(got(application)[0]).toMatch(/^GET \/%41;b\/\/c\?%zz HTTP\/1\.1\r\nHost: example\.com\r\n/);
  expect(got(api)).toEqual([]);
});

test('an application never sees a dot segment', async () => {
  await send('/a/%2e%2E/b/./c?../d');
  expect(got(application)[0]).toMatch(/^GET \/b\/c\?\.\.\/d HTTP\/1\.1\r\n/);
});

test.each(['/admin', '//%61dmin/x', '/x/../admin', '/admin;y', '/admin%2fz', 'http://example.com/admin'])(
  '%s is denied, and no application hears of it',
  async (target) => {
    expect(await send(target)).toMatch(/^HTTP\/1\.1 403 /);
    expect([got(application), got(api)]).toEqual([[], []]);
  },
);

test.each(['/x/..%2fadmin', '/admin%3f', '/%2561dmin', '/x%00', '/x/..;/admin', '/%c0%aeadmin', '/api%2fx'])(
  '%s is refused, and no application hears of it',
  async (target) => {
    const refusals = 'refusals_total{reason="path"}';
    const grown = await proxy.growth(refusals, async () => {
      const answer = await send(target);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain('"reason":"path"');
    });
    expect(grown).toBe(1);
    expect([got(application), got(api)]).toEqual([[], []]);
  },
);

test('a redirect takes the rest of the path and the query along', async () => {
  const answer = await send('/old/a/../b?c');
  expect(answer).toMatch(/^HTTP\/1\.1 307 /);
  expect(answer).toContain('\r\nLocation: https://example.com/new/b?c\r\n');
  expect(got(application)).toEqual([]);
});

test("a rule's own limit is for its requests", async () => {
  expect(await send('/api', 'Content-Length: 5\r\n', 'POST', '12345')).toMatch(/^HTTP\/1\.1 413 /);
  expect(got(api)).toEqual([]);
  expect(await send('/other', 'Content-Length: 5\r\n', 'POST', '12345')).toMatch(/\r\n\r\nok$/);
});

test('changed rules are in use from the next request on, and a connection that is open stays', async () => {
  using client = await dial(proxy.port);
  const onOpen = (target: string) => client.send(`GET ${target} HTTP/1.1\r\nHost: example.com\r\n\r\n`);
  await onOpen('/later').until(/\r\n\r\nok$/);
  await writeFile(file, `${rules(api.url)}  - { name: later, path: /later, deny: 410 }\n`);
  await until(async () => /^HTTP\/1\.1 410 /.test(await send('/later')));
  await onOpen('/other').until(/ok.*\r\n\r\nok$/s);
  await onOpen('/later').until('HTTP/1.1 410 ');
  const said = proxy.sidecar.logs().find(({ added }) => added !== undefined);
  expect(said).toMatchObject({ added: ['later'], removed: [], changed: [] });
});
