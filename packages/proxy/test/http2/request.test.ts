// Heads of HTTP/2 that are not in order: what nghttp2 refuses, what we refuse, and what reaches the application.

import { until } from '@outrigger/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { always, ok, RawApplication } from '../raw.ts';
import type { RunningProxy } from '../start-proxy.ts';
import { codes, type Fields, flags, frame, headers, request, reset, types, type Wire, wire } from './frames.ts';
import { start } from './start.ts';

let application: RawApplication;
let proxy: RunningProxy;
beforeAll(async () => {
  application = await RawApplication.open(always(ok));
  proxy = await start(application.url, '--head-limit', '8KiB');
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await application[Symbol.asyncDispose]();
});

const received = () => application.connections.map(({ text }) => text).join('');

/** Sends frames, and then a request in order on the same connection, which is answered last. */
async function ask(...frames: readonly Buffer[]): Promise<Wire> {
  application.become(always(ok));
  await proxy.settled();
  const client = await wire(proxy.port);
  client.send(...frames, headers(99, request('/last')));
  await client.until(types.data, 99);
  return client;
}

const replaced = (name: string, value: string): Fields =>
  request().map((field) => (field[0] === name ? [name, value] : field));
const without = (name: string): Fields => request().filter((field) => field[0] !== name);

describe('a stream is reset for', () => {
  const cases: readonly (readonly [string, readonly Buffer[]])[] = [
    ['a name in upper case', [headers(1, request('/', [['X-Up', 'a']]))]],
    ['Connection', [headers(1, request('/', [['connection', 'close']]))]],
    ['Transfer-Encoding', [headers(1, request('/', [['transfer-encoding', 'chunked']]), 0)]],
    ['Keep-Alive', [headers(1, request('/', [['keep-alive', '1']]))]],
    ['Upgrade', [headers(1, request('/', [['upgrade', 'websocket']]))]],
    ['TE that asks for a coding', [headers(1, request('/', [['te', 'gzip']]))]],
    ['a path without a slash', [headers(1, request('admin'))]],
    ['an empty path', [headers(1, request(''))]],
    ['a space in the path', [headers(1, request('/a b'))]],
    ['a line end in the path', [headers(1, request('/a HTTP/1.1\r\nx: y'))]],
    ['a path of * without OPTIONS', [headers(1, request('*'))]],
    ['a scheme that is none', [headers(1, replaced(':scheme', 'ht tp'))]],
    ['a method that is no token', [headers(1, replaced(':method', 'G T'))]],
    ['a user in the authority', [headers(1, replaced(':authority', 'u@example.com'))]],
    ['a space in the authority', [headers(1, replaced(':authority', 'a b'))]],
    ['no authority and no host', [headers(1, without(':authority'))]],
    ['two authorities', [headers(1, [...request(), [':authority', 'b']])]],
    [
      'two hosts',
      [
        headers(
          1,
          request('/', [
            ['host', 'example.com'],
            ['host', 'example.com'],
          ]),
        ),
      ],
    ],
    ['no path', [headers(1, without(':path'))]],
    ['a pseudo-field after a field', [headers(1, [['x', 'y'], ...request()])]],
    ['a pseudo-field that does not exist', [headers(1, [...request(), [':x', 'y']])]],
    ['a pseudo-field of responses', [headers(1, [[':status', '200'], ...request()])]],
    [
      'a CONNECT that asks for a protocol',
      [headers(1, [...replaced(':method', 'CONNECT'), [':protocol', 'websocket']])],
    ],
    ['a Content-Length that is no number', [headers(1, request('/', [['content-length', '5x']]), 0)]],
    [
      'a Content-Length that is repeated',
      [
        headers(
          1,
          request('/', [
            ['content-length', '2'],
            ['content-length', '2'],
          ]),
          0,
        ),
      ],
    ],
    ['a Content-Length without a body', [headers(1, request('/', [['content-length', '5']]))]],
  ];
  test.each(cases)('%s', async (_, frames) => {
    using client = await ask(...frames);
    expect(await client.code(types.reset, 1)).toBe(codes.protocol);
    expect(received()).toMatch(/^GET \/last /);
  });

  test('a body shorter than its Content-Length, which the application never sees whole', async () => {
    using client = await ask(
      headers(1, request('/', [['content-length', '5']]), 0),
      frame(types.data, flags.endStream, 1, 'abc'),
    );
    expect(await client.code(types.reset, 1)).toBe(codes.protocol);
  });

  test('a pseudo-field in the trailers', async () => {
    using client = await ask(headers(1, request(), 0), headers(1, [[':path', '/x']]));
    expect(await client.code(types.reset, 1)).toBe(codes.protocol);
  });
});

test('a body that breaks off with a reset without an error is not taken for whole', async () => {
  application.become(() => undefined);
  using client = await wire(proxy.port);
  client.send(headers(1, replaced(':method', 'POST'), 0), frame(types.data, 0, 1, 'abc'));
  await until(() => received().endsWith('abc\r\n'));
  client.send(reset(1, codes.none));
  await proxy.settled();
  expect(received()).toMatch(/\r\n\r\n3\r\nabc\r\n$/);
});

// Node takes this for a failure of the whole connection.
test('a body longer than its Content-Length ends the connection, and the application gets no octet too many', async () => {
  application.become(() => undefined);
  using client = await wire(proxy.port);
  client.send(
    headers(1, request('/', [['content-length', '2']]), 0),
    frame(types.data, flags.endStream, 1, 'abcdefghij'),
  );
  await client.untilClosed();
  await proxy.settled();
  expect(received()).not.toMatch(/\r\n\r\na/);
});

describe('a request is answered with a problem for', () => {
  const cases: readonly (readonly [string, number, string, Buffer])[] = [
    ['a host that is not the authority', 400, 'target_host', headers(1, request('/', [['host', 'evil.example']]))],
    [
      'an absolute path of another scheme',
      400,
      'target',
      headers(1, [
        [':method', 'GET'],
        [':scheme', 'ftp'],
        [':authority', 'a'],
        [':path', 'http://evil.example/'],
      ]),
    ],
    ['a fragment', 400, 'target', headers(1, request('/a#b'))],
    ['an octet beyond ASCII in the path', 400, 'target', headers(1, request('/a\xe9'))],
    [
      'CONNECT',
      405,
      'method',
      headers(1, [
        [':method', 'CONNECT'],
        [':authority', 'a:1'],
      ]),
    ],
    ['TRACE', 405, 'method', headers(1, replaced(':method', 'TRACE'))],
    ['an expectation', 417, 'expectation', headers(1, request('/', [['expect', 'tea']]))],
    ['a path that is too long', 431, 'head_length', headers(1, request(`/${'a'.repeat(8_200)}`))],
    ['a head that is too long', 431, 'head_length', headers(1, request('/', [['x', 'y'.repeat(9_000)]]))],
    ['too many fields', 431, 'field_count', headers(1, request('/', numbered(110)))],
  ];
  test.each(cases)('%s: %i', async (_, status, reason, head) => {
    let client: Wire | undefined;
    const refused = await proxy.growth(`refusals_total{reason="${reason}"}`, async () => {
      client = await ask(head);
      await client.until(types.data, 1);
    });
    using answered = client!;
    expect(JSON.parse(answered.body(1))).toMatchObject({ status, reason, code: 'PROXY_REQUEST_REFUSED' });
    expect(refused).toBe(1);
    expect(received()).toMatch(/^GET \/last /);
  });
});

function numbered(count: number): Fields {
  return Array.from({ length: count }, (_, index) => [`x-${index}`, '1'] as const);
}

test.each([
  [
    'twice the limit',
    request('/', [
      ['x', 'y'.repeat(9_000)],
      ['z', 'y'.repeat(7_200)],
    ]),
  ],
  ['128 fields', request('/', numbered(140))],
])('a head beyond %s is not even read', async (_, fields) => {
  using client = await ask(headers(1, fields));
  expect(await client.code(types.reset, 1)).toBe(codes.calm);
});

describe('a field that holds what may not be there is left out: ', () => {
  test.each([
    ['a line end', 'a\r\nx-more: b'],
    ['NUL', 'a\0b'],
    ['a space in front', ' a'],
    ['DEL', 'a\x7fb'],
  ])('%s in its value', async (_, value) => {
    using client = await ask(headers(1, request('/first', [['x-odd', value]])));
    await client.until(types.data, 1);
    expect(received()).not.toMatch(/x-odd|x-more/);
  });

  test.each(['x odd', 'x:odd', 'x\r\nodd', 'x\0odd', ''])('%j as a name', async (name) => {
    using client = await ask(headers(1, request('/first', [[name, 'here']])));
    await client.until(types.data, 1);
    expect(received()).not.toContain('here');
  });
});

describe('fields only for this hop, or that only we may set, end here:', () => {
  test.each(['http2-settings', 'proxy-connection', 'x-forwarded-for', 'x_forwarded_for', 'x-real-ip', 'forwarded'])(
    '%s',
    async (name) => {
      using client = await ask(headers(1, request('/first', [[name, 'mine']])));
      const reset = client.find(types.reset, 1);
      if (!reset) await client.until(types.data, 1);
      expect(received()).not.toContain('mine');
    },
  );
});

test.each([
  ['', [['host', 'example.com']]],
  [' whatever its case and default port', [['host', 'EXAMPLE.com:443']]],
] as const)('a host that is the authority is the same%s', async (_, further) => {
  using client = await ask(headers(1, request('/first', further)));
  await client.until(types.data, 1);
  expect(received()).toMatch(/^GET \/first HTTP\/1\.1\r\nhost: example\.com\r\n/);
  expect(received().match(/^host:/gm)).toHaveLength(2);
});

test('a host serves where there is no authority', async () => {
  using client = await ask(headers(1, [...without(':authority'), ['host', 'other.example']]));
  await client.until(types.data, 1);
  expect(received()).toContain('\r\nhost: other.example\r\n');
});

describe('a body that arrives with its head', () => {
  test('has its length told', async () => {
    using client = await ask(
      headers(1, [...replaced(':method', 'POST')], flags.none),
      frame(types.data, flags.none, 1, 'abc'),
      frame(types.data, flags.endStream, 1, 'de'),
    );
    await client.until(types.data, 1);
    expect(received()).toMatch(/POST \/ HTTP\/1\.1\r\n[\s\S]*\r\ncontent-length: 5\r\n[\s\S]*?\r\n\r\nabcde/);
  });

  test('and is empty is none', async () => {
    using client = await ask(headers(1, request(), flags.none), frame(types.data, flags.endStream, 1));
    await client.until(types.data, 1);
    expect(received()).not.toMatch(/content-length|transfer-encoding/i);
  });
});
