// Requests that are odd and served all the same, and exactly what the application gets of them, without what we say of
// the client ourselves.

export type Tolerated = {
  readonly row: number;
  readonly name: string;
  readonly request: string;
  readonly received: string;
};

const post = (fields: string, body: string, received: string) => ({
  request: `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`,
  received: `POST / HTTP/1.1\r\nHost: a\r\n${received}`,
});
const get = (fields: string, received = '') => ({
  request: `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`,
  received: `GET / HTTP/1.1\r\nHost: a\r\n${received}\r\n`,
});
const hello = 'Content-Length: 5\r\n\r\nhello';
const chunkedHello = 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
const version = 'Sec-WebSocket-Version: 13\r\n';

const rows: Readonly<Record<number, Readonly<Record<string, { request: string; received: string }>>>> = {
  5: {
    'zeros before a length': post('Content-Length: 005\r\n', 'hello', hello),
    'white space around a length': post('Content-Length: \t 5 \t\r\n', 'hello', 'Content-Length: \t 5 \t\r\n\r\nhello'),
  },
  15: {
    'a chunk extension': post('Transfer-Encoding: chunked\r\n', '5;a=b;c="d e"\r\nhello\r\n0;x\r\n\r\n', chunkedHello),
    'zeros before a chunk size': post('Transfer-Encoding: chunked\r\n', '005\r\nhello\r\n000\r\n\r\n', chunkedHello),
  },
  16: {
    'trailers that may mean something': post(
      'Trailer: Host, Authorization\r\nTransfer-Encoding: chunked\r\n',
      '5\r\nhello\r\n0\r\nHost: b\r\nAuthorization: c\r\nContent-Type: d\r\nX-Forwarded-For: e\r\n\r\n',
      chunkedHello,
    ),
  },
  18: {
    'a target that repeats the Host': {
      request: 'GET http://A:80/x?y HTTP/1.1\r\nHost: a\r\n\r\n',
      received: 'GET /x?y HTTP/1.1\r\nHost: a\r\n\r\n',
    },
  },
  25: {
    'names with _ or . that stand for ours': get(
      'X_Forwarded_For: 6.6.6.6\r\nx.forwarded.proto: ftp\r\nX_Real_IP: 6.6.6.6\r\nContent_Length: 5\r\nTransfer.Encoding: x\r\nX_Other: 1\r\n',
      'X_Other: 1\r\n',
    ),
  },
  26: {
    'a client that says who it is': get(
      'X-Forwarded-For: 6.6.6.6\r\nX-FORWARDED-PROTO: ftp\r\nX-Forwarded-Host: b\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nX-Client-Cert-Subject: CN=root\r\nX-Forwarded-Client-Cert: Hash=1\r\nX-Remote-User: root\r\nRemote-User: root\r\n',
    ),
  },
  27: {
    'nomination of what is ours': get(
      'Connection: X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, Host, X-Mine\r\nX-Mine: 1\r\nX-Other: 2\r\n',
      'X-Other: 2\r\n',
    ),
    'nomination of the framing': post(
      'Connection: Content-Length, Transfer-Encoding\r\nContent-Length: 5\r\n',
      'hello',
      hello,
    ),
  },
  28: {
    'an upgrade with a body': post(`${upgrade}Content-Length: 5\r\n`, 'hello', `${version}${hello}`),
    'an upgrade with chunks': post(
      `${upgrade}Transfer-Encoding: chunked\r\n`,
      '5\r\nhello\r\n0\r\n\r\n',
      `${version}${chunkedHello}`,
    ),
    'an upgrade by POST': post(`${upgrade}Content-Length: 0\r\n`, '', `${version}Content-Length: 0\r\n\r\n`),
    'an upgrade in HTTP/1.0': {
      request: `GET / HTTP/1.0\r\nHost: a\r\n${upgrade}\r\n`,
      received: `GET / HTTP/1.1\r\nHost: a\r\n${version}\r\n`,
    },
    'an upgrade to another protocol': get(
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n',
    ),
    'an upgrade to several protocols': get('Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n'),
    'an upgrade without Connection': get(`Upgrade: websocket\r\n${version}`, version),
    'an upgrade to another version of WebSocket': get(
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n',
      'Sec-WebSocket-Version: 8\r\n',
    ),
    'an upgrade to no version of WebSocket': get('Connection: Upgrade\r\nUpgrade: websocket\r\n'),
  },
  49: {
    'fields called like members of every object': get(
      '__proto__: 1\r\nconstructor: 2\r\ntoString: 3\r\n',
      '__proto__: 1\r\nconstructor: 2\r\ntoString: 3\r\n',
    ),
  },
};

export const tolerated: readonly Tolerated[] = Object.entries(rows).flatMap(([row, requests]) =>
  Object.entries(requests).map(([name, { request, received }]) => ({ row: Number(row), name, request, received })),
);
