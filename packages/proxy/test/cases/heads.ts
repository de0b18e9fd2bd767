// Request heads and what must become of them. Each line is one known way to make two HTTP implementations disagree.

export type Hostile = {
  /** In the list of bad inputs; see ../bad-inputs/rows.test.ts. */
  readonly row: number;
  readonly name: string;
  readonly head: string;
  readonly status: number;
  readonly reason: string;
};

const host = 'Host: a\r\n';
const end = '\r\n';
const get = (fields: string) => `GET / HTTP/1.1\r\n${host}${fields}${end}`;
const post = (fields: string) => `POST / HTTP/1.1\r\n${host}${fields}${end}`;
const line = (first: string) => `${first}\r\n${host}${end}`;
const on = (fields: string) => `GET / HTTP/1.1\r\n${fields}${end}`;

/** @param rows heads by the row of the list of bad inputs, and what is wrong with each. */
const refused = (status: number, reason: string, rows: Readonly<Record<number, Record<string, string>>>): Hostile[] =>
  Object.entries(rows).flatMap(([row, heads]) =>
    Object.entries(heads).map(([name, head]) => ({ row: Number(row), name, head, status, reason })),
  );

export const hostile: readonly Hostile[] = [
  ...refused(400, 'ambiguous_length', {
    1: {
      'Content-Length before Transfer-Encoding': post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n'),
      'Transfer-Encoding before Content-Length': post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n'),
      'Content-Length: 0 with Transfer-Encoding': post('Content-Length: 0\r\nTransfer-Encoding: chunked\r\n'),
    },
  }),
  ...refused(400, 'content_length', {
    2: {
      'two different Content-Length': post('Content-Length: 5\r\nContent-Length: 6\r\n'),
      'a list of different lengths': post('Content-Length: 5, 6\r\n'),
    },
    3: {
      'two equal Content-Length': post('Content-Length: 5\r\nContent-Length: 5\r\n'),
      'a list of equal lengths': post('Content-Length: 5, 5\r\n'),
    },
    4: {
      'a sign': post('Content-Length: +5\r\n'),
      'a negative length': post('Content-Length: -1\r\n'),
      'a hexadecimal length': post('Content-Length: 0x5\r\n'),
      'an underscore in the length': post('Content-Length: 5_0\r\n'),
      'a space in the length': post('Content-Length: 1 2\r\n'),
      'an empty length': post('Content-Length: \r\n'),
      'a length beyond 2^53': post('Content-Length: 9007199254740993\r\n'),
      'a length beyond 2^64': post('Content-Length: 18446744073709551621\r\n'),
      'a length with a fraction': post('Content-Length: 5.0\r\n'),
    },
  }),
  ...refused(400, 'transfer_encoding', {
    6: {
      'chunked not last': post('Transfer-Encoding: chunked, gzip\r\n'),
      'chunked twice in a list': post('Transfer-Encoding: chunked, chunked\r\n'),
      'two Transfer-Encoding': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'),
      'two Transfer-Encoding, one identity': post('Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n'),
    },
    8: {
      identity: post('Transfer-Encoding: identity\r\n'),
      xchunked: post('Transfer-Encoding: xchunked\r\n'),
      'an empty coding': post('Transfer-Encoding: \r\n'),
      'a comma before chunked': post('Transfer-Encoding: ,chunked\r\n'),
      'quotes around chunked': post('Transfer-Encoding: "chunked"\r\n'),
      'a parameter after chunked': post('Transfer-Encoding: chunked;a=b\r\n'),
      'gzip alone, without known end': post('Transfer-Encoding: gzip\r\n'),
    },
    9: { 'chunks in HTTP/1.0': `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n${end}` },
  }),
  ...refused(501, 'transfer_coding', {
    7: {
      'gzip, then chunked': post('Transfer-Encoding: gzip, chunked\r\n'),
      'an unknown coding, then chunked': post('Transfer-Encoding: brotli , Chunked\r\n'),
    },
  }),
  ...refused(400, 'folding', {
    10: {
      'a folded field': get('X: a\r\n b\r\n'),
      'a folded Transfer-Encoding': post('Transfer-Encoding:\r\n chunked\r\n'),
      'a tab that folds': get('X: a\r\n\tb\r\n'),
    },
    11: { 'white space before the first field': on(` ${host}`) },
  }),
  ...refused(400, 'field_name', {
    11: {
      'a space before the colon': get('X-Test : v\r\n'),
      'a tab before the colon': post('Content-Length\t: 5\r\n'),
      'an empty name': get(': v\r\n'),
      'a line without colon': get('nothing\r\n'),
    },
    12: {
      'a control character in a name': get('X\x01: v\r\n'),
      'a NUL in a name': get('X\0: v\r\n'),
      'an octet above ASCII in a name': get('X\xe9: v\r\n'),
      'a bracket in a name': get('X[: v\r\n'),
      'CR in a name': get('X\r-Y: v\r\n'),
    },
  }),
  ...refused(400, 'field_value', {
    8: { 'a vertical tab before chunked': post('Transfer-Encoding: \x0bchunked\r\n') },
    12: {
      'a NUL in a value': get('X: a\0b\r\n'),
      'a control character in a value': get('X: a\x01\r\n'),
      'DEL in a value': get('X: \x7f\r\n'),
    },
  }),
  ...refused(400, 'bare_carriage_return', {
    12: { 'CR in a value': get('X: a\rb\r\n') },
    13: {
      'CR CR LF': get('X: a\r\r\n'),
      'CR and another octet at the end': `GET / HTTP/1.1\r\n${host}\r\rX`,
      'CR alone after the request line': `GET / HTTP/1.1\r${host}${end}`,
    },
  }),
  ...refused(400, 'bare_line_feed', {
    13: {
      'LF after the request line': `GET / HTTP/1.1\n${host}${end}`,
      'LF after a field': 'GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n',
      'LF for the end': `GET / HTTP/1.1\r\n${host}\n`,
    },
  }),
  ...refused(400, 'host', {
    17: {
      'no Host': on('X: y\r\n'),
      'two Hosts': on('Host: a\r\nHost: b\r\n'),
      'two equal Hosts': on('Host: a\r\nHost: a\r\n'),
      'an empty Host': on('Host: \r\n'),
      'an empty Host beside a host in the target': 'GET http://a/ HTTP/1.1\r\nHost: \r\n\r\n',
      'a comma in Host': on('Host: a,b\r\n'),
      'a user in Host': on('Host: user@a\r\n'),
      'a path in Host': on('Host: a/b\r\n'),
      'a space in Host': on('Host: a b\r\n'),
      'a port that is no number': on('Host: a:b\r\n'),
      'an empty port': on('Host: a:\r\n'),
      'two ports': on('Host: a:1:2\r\n'),
      'brackets that do not close': on('Host: [::1\r\n'),
      'a question mark in Host': on('Host: a?b\r\n'),
    },
  }),
  ...refused(400, 'target_host', {
    18: {
      'another name in the target': line('GET http://b/ HTTP/1.1'),
      'another port in the target': line('GET http://a:81/ HTTP/1.1'),
    },
  }),
  ...refused(400, 'target', {
    17: { 'a user in the target': line('GET http://u@a/ HTTP/1.1') },
    19: {
      'an asterisk for GET': line('GET * HTTP/1.1'),
      'an asterisk with a path': line('OPTIONS */x HTTP/1.1'),
      'a relative target': line('GET admin HTTP/1.1'),
      'another scheme': line('GET ftp://a/ HTTP/1.1'),
      'CONNECT to a path': line('CONNECT / HTTP/1.1'),
      'CONNECT without port': line('CONNECT a HTTP/1.1'),
    },
    21: {
      'a fragment': line('GET /a#b HTTP/1.1'),
      'a backslash': line('GET /a\\b HTTP/1.1'),
      'an octet above ASCII': line('GET /\xe9 HTTP/1.1'),
      'a NUL': line('GET /\0 HTTP/1.1'),
      'a tab': line('GET /\tHTTP/1.1'),
      'LF in the target': 'GET /\n',
    },
  }),
  ...refused(400, 'request_line', {
    21: {
      'two spaces before the target': line('GET  / HTTP/1.1'),
      'two spaces before the version': line('GET /  HTTP/1.1'),
      'a space inside the target': line('GET /a b HTTP/1.1'),
    },
    32: {
      'a space at the start': line(' GET / HTTP/1.1'),
      'a control character in the method': line('G\x01T / HTTP/1.1'),
      'a method without end': `${'A'.repeat(40)} / HTTP/1.1\r\n${host}${end}`,
      'two empty lines first': `\r\n\r\n${line('GET / HTTP/1.1')}`,
    },
    34: {
      'no version': line('GET /'),
      'another protocol': line('GET / RTSP/1.0'),
      'a version in lower case': line('GET / http/1.1'),
    },
    36: { 'a TLS handshake inside': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' },
  }),
  ...refused(505, 'version', {
    34: {
      'HTTP/0.9 by name': line('GET / HTTP/0.9'),
      'HTTP/1.2': line('GET / HTTP/1.2'),
      'HTTP/2.0': line('GET / HTTP/2.0'),
      'a space after the version': line('GET / HTTP/1.1 '),
      'another digit after the version': line('GET / HTTP/1.10'),
      'a letter for a version': line('GET / HTTP/1.x'),
    },
    35: { 'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
  }),
  ...refused(405, 'method', {
    20: { CONNECT: line('CONNECT a:443 HTTP/1.1'), TRACE: line('TRACE / HTTP/1.1') },
    35: { 'the method of the preface of HTTP/2': line('PRI / HTTP/1.1') },
  }),
  ...refused(417, 'expectation', {
    30: { 'another expectation': post('Expect: 200-ok\r\nContent-Length: 1\r\n') },
  }),
  ...refused(400, 'unexpected_body', {
    33: {
      'GET with a body in HTTP/1.0': `GET / HTTP/1.0\r\n${host}Content-Length: 3\r\n${end}`,
      'HEAD with a body in HTTP/1.0': `HEAD / HTTP/1.0\r\n${host}Content-Length: 3\r\n${end}`,
      'DELETE with a body in HTTP/1.0': `DELETE / HTTP/1.0\r\n${host}Content-Length: 3\r\n${end}`,
    },
  }),
  ...refused(414, 'target_length', { 23: { 'a long target': line(`GET /${'a'.repeat(8192)} HTTP/1.1`) } }),
  ...refused(431, 'field_count', { 23: { 'a hundred and one fields': get('X: y\r\n'.repeat(100)) } }),
  ...refused(431, 'head_length', { 23: { 'a long field': get(`X: ${'y'.repeat(40_000)}\r\n`) } }),
];

export const accepted: readonly { readonly name: string; readonly head: string }[] = Object.entries({
  'an ordinary request': get('Accept: */*\r\n'),
  'no white space after the colon': on('Host:a\r\n'),
  'white space around a value': get('X:\t v \t\r\n'),
  'an empty value': get('X:\r\n'),
  'an octet above ASCII in a value': get('X: \xe9\r\n'),
  'zeros before a length': post('Content-Length: 005\r\n'),
  'Chunked in capitals': post('Transfer-Encoding: Chunked\r\n'),
  'one empty line first': `\r\n${line('GET / HTTP/1.1')}`,
  'HTTP/1.0 without Host': `GET / HTTP/1.0\r\n${end}`,
  'a field called __proto__': get('__proto__: 1\r\nconstructor: 2\r\n'),
  'the same host in the target': line('GET http://a:80/x?y HTTP/1.1'),
  'an asterisk for OPTIONS': line('OPTIONS * HTTP/1.1'),
  'an address in brackets': on('Host: [::1]:8443\r\n'),
  'a method of WebDAV': line('PROPFIND /calendar HTTP/1.1'),
  'a body of GET': `GET / HTTP/1.1\r\n${host}Content-Length: 3\r\n${end}`,
  'odd but legal octets in the target': line('GET /"<>^`{|}%00..//;a=b HTTP/1.1'),
  'a hundred fields': get('X: y\r\n'.repeat(99)),
}).map(([name, head]) => ({ name, head }));
