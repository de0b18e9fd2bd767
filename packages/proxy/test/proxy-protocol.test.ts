import { isIPv4 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { INVALID, MORE, mostHeader, type ProxyTls, readProxyHeader, writeProxyHeader } from '../src/proxy-protocol.ts';
import type { Endpoints } from '../src/tcp/address.ts';

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const read = (octets: Buffer) => readProxyHeader(octets, 0, octets.length);

/** What comes of octets that arrive one after the other. */
function drip(octets: Buffer) {
  for (let end = 0; end <= octets.length; end++) {
    const outcome = readProxyHeader(octets, 0, end);
    if (outcome !== MORE) return outcome;
  }
  return MORE;
}

const signature = '0d0a0d0a000d0a515549540a';
const tcp4Addresses = 'c0000201 c6336402 dc04 01bb';
const tcp4: Endpoints = {
  source: { host: '192.0.2.1', port: 56_324 },
  destination: { host: '198.51.100.2', port: 443 },
};

/** Version 2 of a header: command, family, and what comes after the length. */
function block(command: string, family: string, content: string): Buffer {
  const octets = hex(content);
  return Buffer.concat([
    hex(signature + command + family),
    Buffer.from([octets.length >> 8, octets.length & 255]),
    octets,
  ]);
}
const vector = (type: string, value: Buffer) =>
  type + Buffer.from([value.length >> 8, value.length & 255]).toString('hex') + value.toString('hex');
const padding = (length: number) => vector('04', Buffer.alloc(length - 3));

/** CRC-32C bit by bit, as RFC 3720 has it. */
function crc32c(octets: Buffer): Buffer {
  let sum = 0xffffffff;
  for (const octet of octets) {
    sum ^= octet;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1;
  }
  const out = Buffer.alloc(4);
  out.writeUInt32BE((sum ^ 0xffffffff) >>> 0);
  return out;
}
test('the check sum of these tests is the one of RFC 3720', () => {
  expect(crc32c(Buffer.alloc(32)).reverse().toString('hex')).toBe('aa36918a');
});

/** A header with a right check sum between two other vectors. */
function summed(): Buffer {
  const before = vector('02', latin1('example.com'));
  const octets = block('21', '11', tcp4Addresses + before + vector('03', Buffer.alloc(4)) + vector('ea', latin1('x')));
  crc32c(octets).copy(octets, 16 + 12 + before.length / 2 + 3);
  return octets;
}
function changed(octets: Buffer, at: number): Buffer {
  octets[at]! ^= 1;
  return octets;
}

describe('a header that is read', () => {
  const worst = `PROXY UNKNOWN ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`;
  const tcp6: Endpoints = { source: { host: '2001:db8::1', port: 0 }, destination: { host: '::1', port: 65_535 } };
  const ssl = vector('20', Buffer.concat([hex('0100000000'), hex(vector('21', latin1('TLSv1.3')))]));

  test.each<[string, Buffer, Endpoints | undefined]>([
    ['v1, IPv4', latin1('PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n'), tcp4],
    ['v1, IPv6', latin1('PROXY TCP6 2001:db8::1 ::1 0 65535\r\n'), tcp6],
    ['v1, IPv6 that is not canonical', latin1('PROXY TCP6 2001:0DB8:0:0:0:0:0:1 0:0:0::1 0 65535\r\n'), tcp6],
    ['v1, IPv4 in IPv6', latin1('PROXY TCP6 ::ffff:192.0.2.1 ::FFFF:c633:6402 56324 443\r\n'), tcp4],
    ['v1, unknown', latin1('PROXY UNKNOWN\r\n'), undefined],
    ['v1, unknown and as long as it may be', latin1(worst), undefined],
    ['v1, unknown with what nobody knows', latin1('PROXY UNKNOWN \0\xff  TCP4\r\n'), undefined],
    ['v2, IPv4', block('21', '11', tcp4Addresses), tcp4],
    ['v2, IPv6', block('21', '21', `20010db8${'0'.repeat(23)}1${'0'.repeat(31)}1 0000 ffff`), tcp6],
    [
      'v2, IPv4 in IPv6',
      block('21', '21', `${'0'.repeat(20)}ffffc0000201${'0'.repeat(20)}ffffc6336402 dc0401bb`),
      tcp4,
    ],
    ['v2, unix', block('21', '31', '2f'.repeat(216)), undefined],
    ['v2, unspecified', block('21', '00', ''), undefined],
    ['v2, unspecified with what nobody knows', block('21', '00', 'ffff ff'), undefined],
    ['v2, LOCAL', block('20', '00', ''), undefined],
    ['v2, LOCAL with addresses, which do not count', block('20', '11', tcp4Addresses), undefined],
    ['v2, LOCAL of any family', block('20', '99', '01'), undefined],
    [
      'v2, vectors known and unknown',
      block('21', '11', tcp4Addresses + vector('02', latin1('a')) + ssl + vector('ee', latin1(''))),
      tcp4,
    ],
    ['v2, a unique id of 128 octets', block('21', '11', tcp4Addresses + vector('05', Buffer.alloc(128))), tcp4],
    ['v2, as long as it may be', block('21', '11', tcp4Addresses + padding(mostHeader - 28)), tcp4],
    ['v2, a check sum that is right', summed(), tcp4],
  ])('%s', (_, octets, endpoints) => {
    const expected = { endpoints, next: octets.length };
    expect(read(octets)).toEqual(expected);
    expect(drip(octets)).toEqual(expected);
    expect(read(Buffer.concat([octets, octets]))).toEqual(expected);
    expect(readProxyHeader(Buffer.concat([latin1('..'), octets]), 2, octets.length + 2)).toEqual({
      endpoints,
      next: octets.length + 2,
    });
  });
});

describe('a header that is refused', () => {
  const line = (rest: string) => latin1(`PROXY ${rest}\r\n`);
  test.each<[string, Buffer]>([
    ['another protocol', latin1('GET / HTTP/1.1\r\n\r\n')],
    ['a handshake of TLS', hex('16030100c8010000c4')],
    ['small letters', latin1('proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n')],
    ['white space before it', latin1(' PROXY TCP4 192.0.2.1 198.51.100.2 1 2\r\n')],
    ['two spaces', line('TCP4  192.0.2.1 198.51.100.2 1 2')],
    ['a space at the end', line('TCP4 192.0.2.1 198.51.100.2 1 2 ')],
    ['a tab', line('TCP4\t192.0.2.1 198.51.100.2 1 2')],
    ['a family of its own', line('TCP5 192.0.2.1 198.51.100.2 1 2')],
    ['UDP', line('UDP4 192.0.2.1 198.51.100.2 1 2')],
    ['more than UNKNOWN', line('UNKNOWNX')],
    ['no family', line('')],
    ['no ports', line('TCP4 192.0.2.1 198.51.100.2')],
    ['one port', line('TCP4 192.0.2.1 198.51.100.2 1')],
    ['a port too many', line('TCP4 192.0.2.1 198.51.100.2 1 2 3')],
    ['a port out of range', line('TCP4 192.0.2.1 198.51.100.2 1 65536')],
    ['a port with a leading zero', line('TCP4 192.0.2.1 198.51.100.2 01 2')],
    ['a port with a sign', line('TCP4 192.0.2.1 198.51.100.2 +1 2')],
    ['a port in hexadecimal', line('TCP4 192.0.2.1 198.51.100.2 0x1 2')],
    ['IPv6 called TCP4', line('TCP4 ::1 ::1 1 2')],
    ['IPv4 called TCP6', line('TCP6 192.0.2.1 198.51.100.2 1 2')],
    ['leading zeros', line('TCP4 192.0.02.1 198.51.100.2 1 2')],
    ['three numbers', line('TCP4 192.0.2 198.51.100.2 1 2')],
    ['a number out of range', line('TCP4 192.0.2.256 198.51.100.2 1 2')],
    ['a name', line('TCP4 localhost 198.51.100.2 1 2')],
    ['two double colons', line('TCP6 1::2::3 ::1 1 2')],
    ['too many groups', line('TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2')],
    ['an interface', line('TCP6 fe80::1%eth0 ::1 1 2')],
    ['brackets', line('TCP6 [::1] ::1 1 2')],
    ['LF alone', latin1('PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n')],
    ['LF alone before the end', latin1('PROXY UNKNOWN a\nb\r\n')],
    ['CR alone', latin1('PROXY UNKNOWN a\rb\r\n')],
    ['a line longer than 107 octets', line(`UNKNOWN ${'x'.repeat(92)}`)],
    ['a line without an end', latin1(`PROXY UNKNOWN ${'x'.repeat(100)}`)],
    ['version 1 in binary', block('11', '11', tcp4Addresses)],
    ['half a signature', hex('0d0a0d0a000d0a515549540b2111')],
    ['version 3', block('31', '11', tcp4Addresses)],
    ['a command that nobody knows', block('22', '11', tcp4Addresses)],
    ['UDP over IPv4', block('21', '12', tcp4Addresses)],
    ['UDP over IPv6', block('21', '22', '00'.repeat(36))],
    ['datagrams of unix', block('21', '32', '00'.repeat(216))],
    ['a family that nobody knows', block('21', '41', tcp4Addresses)],
    ['a protocol that nobody knows', block('21', '13', tcp4Addresses)],
    ['IPv4 without a protocol', block('21', '10', tcp4Addresses)],
    ['too short for IPv4', block('21', '11', 'c0000201 c6336402 dc04')],
    ['too short for IPv6', block('21', '21', tcp4Addresses)],
    ['too short for unix', block('21', '31', '00'.repeat(215))],
    ['longer than it may be', block('21', '11', tcp4Addresses + padding(mostHeader - 27))],
    ['LOCAL longer than it may be', block('20', '00', '00'.repeat(mostHeader - 15))],
    ['a vector beyond the end', block('21', '11', `${tcp4Addresses}02000a3132333435`)],
    ['an octet after the vectors', block('21', '11', `${tcp4Addresses}02000431323334ff`)],
    ['half a vector', block('21', '11', `${tcp4Addresses}0200`)],
    ['a check sum that is wrong', changed(summed(), 17)],
    ['a check sum of another length', block('21', '11', tcp4Addresses + vector('03', Buffer.alloc(5)))],
    ['a check sum of nothing', block('21', '11', tcp4Addresses + vector('03', Buffer.alloc(0)))],
    ['two check sums', block('21', '11', tcp4Addresses + vector('03', Buffer.alloc(4)).repeat(2))],
    ['an authority that is no name', block('21', '11', tcp4Addresses + vector('02', Buffer.alloc(256)))],
    ['a unique id that is too long', block('21', '11', tcp4Addresses + vector('05', Buffer.alloc(129)))],
    ['TLS without its flags', block('21', '11', tcp4Addresses + vector('20', Buffer.alloc(4)))],
    ['a vector of TLS beyond the end', block('21', '11', tcp4Addresses + vector('20', hex('0100000000 21000a31')))],
  ])('%s', (_, octets) => {
    expect(read(octets)).toBe(INVALID);
    expect(drip(octets)).toBe(INVALID);
  });
});

test.each([
  ['nothing', latin1('')],
  ['half a word', latin1('PRO')],
  ['a line of 107 octets before its LF', latin1(`PROXY UNKNOWN ${'x'.repeat(91)}\r`)],
  ['half a signature', hex('0d0a0d0a')],
  ['half of the fixed part', hex(`${signature}2111`)],
  ['the fixed part', hex(`${signature}2111000c`)],
  ['half an address', hex(`${signature}2111000cc0000201`)],
])('there may be more after %s', (_, octets) => {
  expect(read(octets)).toBe(MORE);
});

const ipv4 = fc.ipV4();
/** As the kernel would write it, and no IPv4 in disguise. */
const ipv6 = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((octets) => Buffer.concat([Buffer.from([0x20]), Buffer.from(octets.subarray(1))]))
  .map((octets) => {
    const header = Buffer.concat([hex(`${signature}21210024`), octets, octets, Buffer.alloc(4)]);
    const outcome = read(header);
    if (outcome === MORE || outcome === INVALID || !outcome.endpoints) throw new Error(`not read: ${outcome}`);
    return outcome.endpoints.source.host;
  });
const port = fc.integer({ min: 0, max: 65_535 });
const endpoint = fc.record({ host: fc.oneof(ipv4, ipv6), port });
const endpoints: fc.Arbitrary<Endpoints> = fc.record({ source: endpoint, destination: endpoint });
const text = fc.option(fc.string({ maxLength: 300 }), { nil: undefined });
const tls: fc.Arbitrary<ProxyTls> = fc.record({
  version: text,
  cipher: text,
  alpn: text,
  authority: text,
  commonName: text,
  certificate: fc.constantFrom('none', 'verified', 'refused'),
  resumed: fc.boolean(),
});

test('what is written is read as it was meant', () => {
  fc.assert(
    fc.property(endpoints, fc.option(tls, { nil: undefined }), (meant, secured) => {
      for (const version of ['v1', 'v2'] as const) {
        const octets = writeProxyHeader(version, meant, secured);
        expect(read(octets)).toEqual({ endpoints: meant, next: octets.length });
      }
    }),
    { numRuns: 500, verbose: 1 },
  );
});

test('an address of IPv6 is written as it was read', () => {
  fc.assert(
    fc.property(ipv6, (host) => {
      // 45 octets hold any address of IPv6; Node.js checks the format.
      expect(host.length <= 45 && !isIPv4(host) && new URL(`http://[${host}]`).hostname).toBe(`[${host}]`);
    }),
    { numRuns: 200, verbose: 1 },
  );
});

/** Headers with something wrong in them, or not. */
const mutated = fc
  .tuple(
    fc.oneof(
      endpoints.map((meant) => writeProxyHeader('v1', meant)),
      fc.tuple(endpoints, tls).map(([meant, secured]) => writeProxyHeader('v2', meant, secured)),
      fc.constant(summed()),
      fc.uint8Array({ maxLength: 200 }).map((octets) => Buffer.from(octets)),
      fc.uint8Array({ maxLength: 200 }).map((octets) => Buffer.concat([hex(signature), Buffer.from(octets)])),
      fc.string({ maxLength: 120 }).map((rest) => latin1(`PROXY UNKNOWN${rest}\r\n`)),
    ),
    fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }),
    fc.uint8Array({ maxLength: 20 }),
  )
  .map(([header, changes, rest]) => {
    const octets = Buffer.concat([header, rest]);
    if (octets.length > 0) for (const [at, octet] of changes) octets[at % octets.length] = octet;
    return octets;
  });

test('what comes out depends on the octets alone, not on how they were cut', () => {
  fc.assert(
    fc.property(mutated, (octets) => {
      expect(drip(octets)).toEqual(read(octets));
    }),
    { numRuns: 3_000, verbose: 1 },
  );
});

test('version 2 tells of TLS: name, protocol, version, cipher and the owner of a verified certificate', () => {
  const octets = writeProxyHeader('v2', tcp4, {
    version: 'TLSv1.3',
    cipher: 'TLS_AES_128_GCM_SHA256',
    alpn: 'h2',
    authority: 'shop.example.com',
    certificate: 'verified',
    resumed: false,
    commonName: 'cart',
  });
  const subvectors =
    vector('21', latin1('TLSv1.3')) + vector('22', latin1('cart')) + vector('23', latin1('TLS_AES_128_GCM_SHA256'));
  const vectors =
    vector('01', latin1('h2')) +
    vector('02', latin1('shop.example.com')) +
    vector('20', hex(`0700000000${subvectors}`));
  expect(octets.toString('hex')).toBe(block('21', '11', tcp4Addresses + vectors).toString('hex'));
});

test.each([
  ['none', false, '0100000001'],
  ['refused', false, '0700000001'],
  ['verified', false, '0700000000'],
  ['verified', true, '0500000000'],
] as const)('a certificate that was %s, resumed: %s', (certificate, resumed, flags) => {
  const nothing = {
    version: undefined,
    cipher: undefined,
    alpn: undefined,
    authority: undefined,
    commonName: undefined,
  };
  const octets = writeProxyHeader('v2', tcp4, { ...nothing, certificate, resumed });
  expect(octets.toString('hex').endsWith(`200005${flags}`)).toBe(true);
});
