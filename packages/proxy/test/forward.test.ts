import { expect, test } from 'vitest';
import { mostForwarded, writeHead } from '../src/forward.ts';
import { RequestHead } from '../src/http/request-head.ts';
import { identify } from '../src/identity.ts';

const identity = identify('192.0.2.7', 'https');
const upstreamHost = '127.0.0.1:8080';
const ours = 'X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n';

/** The head as the application gets it, without the last empty line. */
function forward(text: string): string {
  const octets = Buffer.from(text, 'latin1');
  const head = new RequestHead();
  expect(head.read(octets, 0, { end: octets.length, most: 32_768 })).toBe(octets.length);
  const passage = { head, identity, upstreamHost, edits: undefined, extra: undefined };
  const most = mostForwarded(passage);
  const out = Buffer.alloc(most);
  const length = writeHead(octets, out, passage);
  expect(length).toBeLessThanOrEqual(most);
  const sent = out.toString('latin1', 0, length);
  expect(sent.endsWith('\r\n\r\n')).toBe(true);
  return sent.slice(0, -2);
}

test('order and case are kept, and who the client is comes last', () => {
  const head =
    'GET /a?b=c HTTP/1.1\r\nhOsT: example.com\r\nX-ODD:  v \r\nCookie: a\r\ntraceparent: 00-0af7-b7ad-01\r\n';
  expect(forward(`${head}\r\n`)).toBe(`${head}${ours}X-Forwarded-Host: example.com\r\n`);
});

test('what is for this hop alone does not go on', () => {
  const dropped =
    'Connection: keep-alive, X-Mine, Host, Content-Length\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nProxy-Authorization: x\r\nTE: trailers\r\nTrailer: x\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nx-MINE: 1\r\n';
  expect(forward(`POST / HTTP/1.1\r\nHost: a\r\n${dropped}Content-Length: 2\r\nX-Last: 1\r\n\r\n`)).toBe(
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nX-Last: 1\r\n${ours}X-Forwarded-Host: a\r\n`,
  );
});

test('a client cannot say who it is, in any spelling that an application may take for ours', () => {
  const claims = [
    'X-Forwarded-For: 10.0.0.1',
    'x_forwarded_for: 10.0.0.1',
    'X.Forwarded.Proto: http',
    'X-Forwarded-Client-Cert: x',
    'X-Client-Cert-Subject: x',
    'Forwarded: for=10.0.0.1',
    'X-Real-IP: 10.0.0.1',
    'X_Remote_User: root',
    'Remote-User: root',
    'Content_Length: 5',
    'Transfer.Encoding: chunked',
  ];
  expect(forward(`GET / HTTP/1.1\r\nHost: a\r\n${claims.join('\r\n')}\r\n\r\n`)).toBe(
    `GET / HTTP/1.1\r\nHost: a\r\n${ours}X-Forwarded-Host: a\r\n`,
  );
});

test('nominating our own fields for removal does not remove them', () => {
  const sent = forward('GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Forwarded-For, X-Forwarded-Proto\r\n\r\n');
  expect(sent).toContain(ours);
});

test('framing is written anew where it could be read in two ways', () => {
  expect(forward('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0010\r\n\r\n')).toMatch(/\r\nContent-Length: 10\r\n$/);
  const chunked = forward('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\tChunked \r\n\r\n');
  expect(chunked).toMatch(/\r\nTransfer-Encoding: chunked\r\n$/);
  expect(chunked.match(/transfer-encoding/gi)).toHaveLength(1);
});

test('a request of HTTP/1.0 becomes one of HTTP/1.1, with a Host', () => {
  expect(forward('GET /x HTTP/1.0\r\n\r\n')).toBe(`GET /x HTTP/1.1\r\n${ours}Host: ${upstreamHost}\r\n`);
  expect(forward('GET /x HTTP/1.0\r\nHost: a\r\n\r\n')).toBe(
    `GET /x HTTP/1.1\r\nHost: a\r\n${ours}X-Forwarded-Host: a\r\n`,
  );
});

test.each([
  ['GET http://a/x?y', 'GET /x?y'],
  ['GET http://A', 'GET /'],
  ['GET https://a:443?y', 'GET /?y'],
  ['OPTIONS http://a', 'OPTIONS *'],
])('%s goes on as %s', (from, to) => {
  expect(forward(`${from} HTTP/1.1\r\nHost: a\r\n\r\n`)).toMatch(
    new RegExp(`^${RegExp.escape(to)} HTTP/1\\.1\r\nHost: a\r\n`),
  );
});

test('an empty line before the request does not go on', () => {
  expect(forward('\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n')).toMatch(/^GET /);
});

test('a WebSocket handshake keeps its upgrade, any other loses it', () => {
  const fields = 'Host: a\r\nConnection: keep-alive, Upgrade\r\n';
  const key = 'Sec-WebSocket-Version: 13\r\n';
  const upgraded = forward(`GET / HTTP/1.1\r\n${fields}Upgrade: WebSocket\r\n${key}\r\n`);
  expect(upgraded).toMatch(/\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n$/);
  for (const other of [
    `GET / HTTP/1.1\r\n${fields}Upgrade: h2c\r\n\r\n`,
    `GET / HTTP/1.0\r\n${fields}Upgrade: websocket\r\n\r\n`,
    `POST / HTTP/1.1\r\n${fields}Upgrade: websocket\r\n\r\n`,
    `GET / HTTP/1.1\r\n${fields}Upgrade: websocket\r\nContent-Length: 5\r\n\r\n`,
    'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n',
  ])
    expect(forward(other)).not.toMatch(/upgrade/i);
});
