import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mostForwarded, passageOf, writeHead } from '../src/forward.ts';
import { RequestHead } from '../src/http/request-head.ts';
import { type ForwardedStyle, identify } from '../src/identity.ts';
import { writeProxyHeader } from '../src/proxy-protocol.ts';
import { proxyList } from '../src/trusted-proxies.ts';
import { H2Client } from './http2/start.ts';
import { always, ask, dial, ok, RawApplication } from './raw.ts';
import { type RunningProxy, startProxy } from './start-proxy.ts';

/** Fields that an application may take for what a proxy says of the client. */
const about = /^(?:x[-_.]forwarded|forwarded|x[-_.]real|x[-_.]client|x[-_.]remote|remote[-_.]user)/i;

const aboutClient = (text: string) => text.split('\r\n').filter((line) => about.test(line));

const untraced = { traced: () => undefined };

type Case = { style?: ForwardedStyle; trusted?: boolean; host?: string; certificate?: string };

/** What the application is told about the client of this request. */
function told(
  fields: readonly string[],
  { style, trusted, host = '192.0.2.7', certificate = '' }: Case = {},
): string[] {
  const octets = Buffer.from(['GET / HTTP/1.1', 'Host: a.example:8443', ...fields, '', ''].join('\r\n'), 'latin1');
  const head = new RequestHead();
  expect(head.read(octets, 0, { end: octets.length, most: 32_768 })).toBe(octets.length);
  const identity = identify(host, 'https', { style, trusted, certificate: Buffer.from(certificate) });
  const passage = passageOf(
    octets,
    head,
    { identity, rule: { request: undefined }, pool: { host: 'app' }, account: untraced },
    false,
  );
  const out = Buffer.alloc(mostForwarded(passage));
  return aboutClient(out.toString('latin1', 0, writeHead(octets, out, passage)));
}

const ours = ['X-Forwarded-For: 192.0.2.7', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: a.example:8443'];
const ourForwarded = 'Forwarded: for=192.0.2.7;proto=https;host="a.example:8443"';
const lies = [
  ...['X-Forwarded-For: 10.0.0.1', 'X-Forwarded-Proto: http', 'X-Forwarded-Host: evil', 'Forwarded: for=10.0.0.1'],
  ...['x_forwarded_for: 10.0.0.1', 'X.Forwarded.Host: evil', 'X-Forwarded_Proto: http', 'X-Real-IP: 10.0.0.1'],
  ...['X-Forwarded-Port: 1', 'X-Forwarded-Prefix: /x', 'X-Forwarded-Server: x', 'X-Remote-User: root'],
  ...['X-FORWARDED-FOR:10.0.0.1', 'Remote_User: root', 'X-Client-Cert: x', 'X-Forwarded-Client-Cert: x'],
];

test.each<[ForwardedStyle, string[]]>([
  ['x-forwarded', ours],
  ['forwarded', [ourForwarded]],
  ['both', [...ours, ourForwarded]],
  ['off', []],
])('with --forwarded %s nothing that an ordinary client says of itself is believed', (style, expected) => {
  expect(told(lies, { style })).toEqual(expected);
  expect(told([], { style })).toEqual(expected);
});

const received = ['X-Forwarded-For: 203.0.113.9, 198.51.100.2', 'X-Forwarded-For: 198.51.100.3'];
const receivedMore = ['X-Forwarded-Proto: http', 'X-Forwarded-Host: shop.example', 'Forwarded: for=203.0.113.9'];

test.each<[ForwardedStyle, string[]]>([
  [
    'x-forwarded',
    [
      'X-Forwarded-For: 203.0.113.9, 198.51.100.2, 198.51.100.3, 192.0.2.7',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: shop.example',
    ],
  ],
  ['forwarded', [`Forwarded: for=203.0.113.9, ${ourForwarded.slice('Forwarded: '.length)}`]],
  ['off', []],
])('with --forwarded %s what a trusted proxy says is kept, and added to', (style, expected) => {
  expect(told([...received, ...receivedMore], { style, trusted: true })).toEqual(expected);
});

test('a trusted proxy that says nothing is told of like a client', () => {
  expect(told([], { trusted: true })).toEqual(ours);
  expect(told(['X-Forwarded-For:', 'X-Forwarded-Proto: '], { trusted: true })).toEqual(ours);
});

test('a trusted proxy is believed in one spelling alone, and not in what only we may say', () => {
  const aliases = lies.filter((line) => !/^(?:x-forwarded-(?:for|proto|host)|forwarded):/i.test(line));
  expect(aliases.length).toBeGreaterThan(8);
  expect(told(aliases, { trusted: true })).toEqual(ours);
});

test('what was received cannot be nominated away', () => {
  const nominated = 'Connection: X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, Forwarded';
  expect(told([nominated])).toEqual(ours);
  expect(told([nominated, ...received], { trusted: true })[0]).toMatch(/203\.0\.113\.9, .*192\.0\.2\.7$/);
});

test('an address of IPv6 is written as each style has it', () => {
  expect(told([], { host: '2001:db8::7', style: 'both' })).toEqual([
    'X-Forwarded-For: 2001:db8::7',
    ...ours.slice(1),
    'Forwarded: for="[2001:db8::7]";proto=https;host="a.example:8443"',
  ]);
});

test.each<ForwardedStyle>(['x-forwarded', 'forwarded', 'both', 'off'])(
  'with --forwarded %s the certificate of the client is told of once',
  (style) => {
    for (const trusted of [false, true]) {
      const lines = told(['X-Client-Cert-Cn: admin'], { style, trusted, certificate: 'X-Client-Cert-Cn: shop\r\n' });
      expect(lines.filter((line) => /cert/i.test(line))).toEqual(['X-Client-Cert-Cn: shop']);
    }
  },
);

test.each([
  ['a line end', '1.2.3.4\rX-Evil: 1'],
  ['a line feed', '1.2.3.4\nX-Evil: 1'],
  ['NUL', '1.2.3.4\0'],
])('%s in what is added to is no value that a head could have', (_, value) => {
  const octets = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ${value}\r\n\r\n`, 'latin1');
  expect(new RequestHead().read(octets, 0, { end: octets.length, most: 32_768 })).not.toBe(octets.length);
});

describe('the list of trusted proxies', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.1.2.3/8', '10.200.0.1', true],
    ['10.0.0.0/08', '10.200.0.1', true],
    ['192.0.2.128/25', '192.0.2.127', false],
    ['192.0.2.1/32', '192.0.2.1', true],
    ['0.0.0.0/0', '198.51.100.1', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '2001:db8::1', true],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['::1', '::1', true],
    ['::1/128', '0:0:0:0:0:0:0:1', true],
    ['::ffff:10.0.0.1', '10.0.0.1', true],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['::ffff:10.0.0.0/104', '11.1.2.3', false],
  ])('%s: %s is in it: %s', (entry, address, trusted) => {
    expect(proxyList([entry]).check(address, address.includes(':') ? 'ipv6' : 'ipv4')).toBe(trusted);
  });

  test.each([
    '',
    'proxy',
    '10.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/8 ',
    '::/129',
    '010.0.0.1',
    '10.0.0.0/1e1',
    'fe80::1%eth0',
  ])('"%s" cannot be in it', (entry) => {
    expect(() => proxyList(['10.0.0.1', entry])).toThrow(`"${entry}": an address such as 10.0.0.1`);
  });
});

describe('over real connections', () => {
  let application: RawApplication;
  beforeAll(async () => {
    application = await RawApplication.open();
  });
  afterAll(() => application[Symbol.asyncDispose]());
  const start = (...flags: string[]) => {
    application.become(always(ok));
    return startProxy({ upstream: application.url, tls: true, flags });
  };
  const heard = () => aboutClient(application.connections.map(({ text }) => text).join(''));
  /** The same over HTTP/2, where names have no upper case and only some of them are there once. */
  const asFields = (lines: readonly string[]) =>
    Object.fromEntries(
      lines.map((line) => [line.split(':')[0]!.toLowerCase(), line.split(':').slice(1).join(':').trim()]),
    );

  const expectHeard = async (proxy: RunningProxy, fields: readonly string[], expected: readonly string[]) => {
    using client = await H2Client.open(proxy.port);
    expect((await client.get('/', asFields(fields))).status).toBe(200);
    expect(heard()).toEqual(expected);
  };

  const here = ['X-Forwarded-For: 127.0.0.1', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: example.com'];

  test('a client of HTTP/2 is not believed either', async () => {
    await using proxy = await start();
    await expectHeard(proxy, lies, here);
  });

  test('a trusted proxy of HTTP/2 is', async () => {
    await using proxy = await start('--trusted-proxies', '127.0.0.0/8', '--forwarded', 'both');
    await expectHeard(
      proxy,
      [...received.slice(1), ...receivedMore],
      [
        'X-Forwarded-For: 198.51.100.3, 127.0.0.1',
        ...['X-Forwarded-Proto: http', 'X-Forwarded-Host: shop.example'],
        'Forwarded: for=203.0.113.9, for=127.0.0.1;proto=https;host="example.com"',
      ],
    );
  });

  test('one of several entries is enough, and none but them are trusted', async () => {
    await using proxy = await start('--trusted-proxies', '192.0.2.0/24', '--trusted-proxies', '::1');
    await expectHeard(proxy, [...received, ...receivedMore], here);
  });

  test('behind the PROXY protocol it is the address said there that is trusted or not', async () => {
    application.become(always(ok));
    const flags = ['--accept-proxy-protocol', '--trusted-proxies', '192.0.2.0/24', '--trusted-proxies', '127.0.0.1'];
    await using proxy = await startProxy({ upstream: application.url, flags });
    for (const [host, first] of [
      ['192.0.2.7', 'X-Forwarded-For: 203.0.113.9, 192.0.2.7'],
      ['198.51.100.7', 'X-Forwarded-For: 198.51.100.7'],
    ] as const) {
      application.become(always(ok));
      using client = await dial(proxy.port);
      const destination = { host: '127.0.0.1', port: 1 };
      client.send(writeProxyHeader('v2', { source: { host, port: 1 }, destination }));
      await client.send('GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n').until('ok');
      expect(heard()[0]).toBe(first);
    }
  });

  test('requests of one connection do not take over what was said of each other', async () => {
    application.become(always(ok));
    const flags = ['--trusted-proxies', '127.0.0.1'];
    await using proxy = await startProxy({ upstream: application.url, flags });
    const get = (field: string, more = '') => `GET / HTTP/1.1\r\nHost: a\r\n${field}${more}\r\n`;
    await ask(
      proxy.port,
      get('X-Forwarded-For: 203.0.113.1\r\nX-Forwarded-Host: b\r\n') + get('') + get('', 'Connection: close\r\n'),
    );
    expect(heard().filter((line) => /-(?:For|Host):/.test(line))).toEqual([
      ...['X-Forwarded-For: 203.0.113.1, 127.0.0.1', 'X-Forwarded-Host: b'],
      ...['X-Forwarded-For: 127.0.0.1', 'X-Forwarded-Host: a', 'X-Forwarded-For: 127.0.0.1', 'X-Forwarded-Host: a'],
    ]);
  });
});
