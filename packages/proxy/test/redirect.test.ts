import { freePort, until } from '@outrigger/core/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, dial, RawApplication } from './raw.ts';
import { type RunningProxy, startProxy } from './start-proxy.ts';

let application: RawApplication;
let proxy: RunningProxy;
let port: number;
beforeAll(async () => {
  application = await RawApplication.open();
  port = await freePort();
  const flags = ['--redirect-listen-address', `127.0.0.1:${port}`, '--head-timeout', '500ms'];
  proxy = await startProxy({ upstream: application.url, tls: true, flags });
});
afterAll(async () => {
  expect(application.connections).toEqual([]);
  await proxy[Symbol.asyncDispose]();
  await application[Symbol.asyncDispose]();
});

const locations = (answer: string) => answer.match(/(?<=^Location: ).*(?=\r$)/gim) ?? [];
const send = (line: string, ...fields: string[]) =>
  ask(port, [line, ...fields, 'Connection: close', '', ''].join('\r\n'));

test.each([
  ['a name', 'GET /a?b=c HTTP/1.1', 'shop.example', 'shop.example', '/a?b=c'],
  ['a port, which is not that of https', 'GET / HTTP/1.1', 'shop.example:8080', 'shop.example', '/'],
  ['an address', 'HEAD /x HTTP/1.1', '192.0.2.1:80', '192.0.2.1', '/x'],
  ['an address of IPv6', 'GET /x HTTP/1.1', '[2001:db8::1]', '[2001:db8::1]', '/x'],
  ['an address of IPv6 and a port', 'GET /x HTTP/1.1', '[2001:db8::1]:80', '[2001:db8::1]', '/x'],
  ['the absolute form', 'GET http://shop.example/y?z HTTP/1.1', 'shop.example', 'shop.example', '/y?z'],
  ['the absolute form without a path', 'GET http://shop.example HTTP/1.1', 'shop.example', 'shop.example', '/'],
  ['the server as a whole', 'OPTIONS * HTTP/1.1', 'shop.example', 'shop.example', '/'],
  ['another method', 'DELETE /a HTTP/1.1', 'shop.example', 'shop.example', '/a'],
  ['HTTP/1.0', 'GET /a HTTP/1.0', 'shop.example', 'shop.example', '/a'],
])('%s leads to the same place over https', async (_, line, host, to, path) => {
  const answer = await send(line, `Host: ${host}`);
  expect(answer).toMatch(/^HTTP\/1\.1 308 Permanent Redirect\r\n/);
  expect(locations(answer)).toEqual([`https://${to}:${proxy.port}${path}`]);
  expect(answer).toMatch(/\r\nContent-Length: 0\r\n/);
});

// Whatever follows the host cannot change it: the Location begins with what the browser itself says it has asked for.
test.each([
  ['GET //evil.example/ HTTP/1.1', 'a.example'],
  ['GET /@evil.example HTTP/1.1', 'a.example'],
  ['GET /..//evil.example/%0d%0aSet-Cookie:x HTTP/1.1', 'a.example'],
  ['GET ///evil.example HTTP/1.1', 'a.example'],
  ['GET / HTTP/1.1', 'a.example:8443'],
  ['GET / HTTP/1.1', 'a.example;evil.example'],
])('%s with %s leads to no other host', async (line, host) => {
  const [location = '', ...more] = locations(await send(line, `Host: ${host}`, 'X-Forwarded-Host: evil.example'));
  expect(more).toEqual([]);
  expect(location.startsWith(`https://${host.replace(/:\d+$/, '')}:${proxy.port}/`), location).toBe(true);
});

test.each([
  ['a user', 'Host: a.example@evil.example'],
  ['a slash', 'Host: a.example/evil'],
  ['a backslash', 'Host: a.example\\evil'],
  ['a question mark', 'Host: evil.example?a.example'],
  ['a fragment', 'Host: evil.example#a.example'],
  ['two names', 'Host: a.example, evil.example'],
  ['a space', 'Host: a.example evil.example'],
  ['a second one', 'Host: a.example\r\nHost: evil.example'],
  ['a line end', 'Host: a.example\rLocation: https://evil.example'],
  ['a port that is none', 'Host: a.example:80@evil.example:1'],
  ['nothing', 'Host:'],
])('a host with %s is refused', async (_, field) => {
  const answer = await send('GET / HTTP/1.1', field);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(locations(answer)).toEqual([]);
});

test('an absolute form that names another host is refused', async () => {
  const answer = await send('GET http://evil.example/ HTTP/1.1', 'Host: a.example');
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(locations(answer)).toEqual([]);
});

test('without a host there is no place to name', async () => {
  const answer = await ask(port, 'GET /a HTTP/1.0\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(locations(answer)).toEqual([]);
});

test('a connection may ask again, but not after a body that nobody reads', async () => {
  using client = await dial(port);
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`;
  await client.send(get('/1')).until('/1\r\n');
  await client.send(`${get('/2')}${get('/3')}`).until('/3\r\n');
  client.send('POST /4 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 9\r\n\r\nGET /5 HT');
  await client.untilEnd();
  expect(client.text.match(/HTTP\/1\.1 308/g)).toHaveLength(4);
  expect(client.text).toMatch(/Connection: close\r\n\r\n$/);
});

test("what comes after the last request is nobody's", async () => {
  const get = 'GET / HTTP/1.1\r\nHost: a.example\r\n';
  const refusals = await proxy.growth('refusals_total{reason="head_timeout"}', async () => {
    using client = await dial(port);
    client.send(`${get}Connection: close\r\n\r\n${get}\r\nGET / HT`);
    await until(() => client.closed || client.ended);
    expect(client.text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    const listed = async () => (await (await proxy.sidecar.get('/v1/connections')).json()) as object[];
    await until(async () => (await listed()).length === 0);
  });
  expect(refusals).toBe(0);
});

test('an upgrade is answered like any other request', async () => {
  const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  const answer = await ask(port, ['GET /chat HTTP/1.1', 'Host: a.example', ...upgrade, '', 'GARBAGE'].join('\r\n'));
  expect(answer).toMatch(/^HTTP\/1\.1 308 /);
});

test('a head that drips is not waited for longer than elsewhere', async () => {
  using client = await dial(port);
  expect(await client.send('GET / HT').untilEnd()).toMatch(/^HTTP\/1\.1 408 /);
});

test('TLS there is nothing but a bad request, which ends', async () => {
  using client = await dial(port);
  expect(await client.send('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n').untilEnd()).toMatch(
    /^HTTP\/1\.1 400 /,
  );
});

test.each([
  ['443', 'https://a.example/x'],
  ['444', 'https://a.example:444/x'],
])('behind a port mapping clients are sent to the port that they see: %s', async (seen, location) => {
  const plain = await freePort();
  const flags = ['--redirect-listen-address', `127.0.0.1:${plain}`, '--redirect-port', seen];
  await using other = await startProxy({ upstream: application.url, tls: true, flags });
  expect(other.port).not.toBe(Number(seen));
  const answer = await ask(plain, 'GET /x HTTP/1.1\r\nHost: a.example:8080\r\nConnection: close\r\n\r\n');
  expect(locations(answer)).toEqual([location]);
});

test('SIGTERM closes it with all others', async () => {
  const plain = await freePort();
  const flags = ['--redirect-listen-address', `127.0.0.1:${plain}`];
  await using other = await startProxy({ upstream: application.url, tls: true, flags });
  using idle = await dial(plain);
  await idle.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').until('308');
  const list = (await (await other.sidecar.get('/v1/connections')).json()) as object[];
  expect(list).toMatchObject([{ protocol: 'http/1.1', state: 'idle', requests: 1 }]);
  other.sidecar.kill('SIGTERM');
  await until(() => idle.ended || idle.closed);
  expect(await other.sidecar.exited).toMatchObject({ code: 0 });
});
