import { createHash, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { identify } from '../../src/tls/identity.ts';
import { type IssueOptions, issue } from './make.ts';

const key = issue().privateKey;
const identityOf = (options: IssueOptions) => identify(new X509Certificate(issue({ key, ...options }).cert));
const linesOf = (options: IssueOptions) => identityOf(options).lines.toString('latin1').split('\r\n');

/** Splits as Envoy documents it: `;` outside of quotes, `\"` within them. */
function readForwarded(lines: readonly string[]): Record<string, string[]> {
  const line = lines.find((each) => each.startsWith('X-Forwarded-Client-Cert: '))?.slice(25) ?? '';
  const read: Record<string, string[]> = {};
  const add = (name: string, value: string) => {
    read[name] = [...(read[name] ?? []), value];
  };
  for (const [, name, quoted, plain] of line.matchAll(/([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^;]*))(?:;|$)/g))
    add(name ?? '', quoted ?? plain ?? '');
  return read;
}

test('a certificate is told in lines of its own and as Envoy does', () => {
  const notAfter = new Date('2031-02-03T04:05:06Z');
  const made = issue({
    name: [
      ['O', 'Acme, Inc.'],
      ['OU', 'Till "1"'],
      ['CN', 'shop'],
    ],
    names: [{ dns: 'shop.example' }, { uri: 'spiffe://domain/shop' }, { dns: 'shop.internal' }, { uri: 'urn:a;b=c' }],
    notAfter,
  });
  const certificate = new X509Certificate(made.cert);
  const { raw, fingerprint256 } = certificate;
  const identity = identify(certificate);
  const hash = createHash('sha256').update(raw).digest('hex');
  expect(identity).toMatchObject({
    subject: 'CN=shop,OU=Till \\"1\\",O=Acme\\, Inc.',
    cn: 'shop',
    dns: ['shop.example', 'shop.internal'],
    uri: ['spiffe://domain/shop', 'urn:a;b=c'],
    spki: `sha256/${createHash('sha256').update(made.spki).digest('base64')}`,
    ...{ fingerprint256, notAfter },
  });
  expect(identity.lines.toString()).toBe(
    [
      'X-Client-Cert-Subject: CN=shop,OU=Till \\"1\\",O=Acme\\, Inc.',
      'X-Client-Cert-Cn: shop',
      'X-Client-Cert-Dns: shop.example,shop.internal',
      'X-Client-Cert-Uri: spiffe://domain/shop,urn:a;b=c',
      `X-Client-Cert-Fingerprint: ${hash}`,
      'X-Client-Cert-Not-After: 2031-02-03T04:05:06.000Z',
      `X-Forwarded-Client-Cert: Hash=${hash};Subject="CN=shop,OU=Till \\"1\\",O=Acme\\, Inc.";URI=spiffe://domain/shop;URI="urn:a;b=c";DNS=shop.example;DNS=shop.internal`,
      '',
    ].join('\r\n'),
  );
});

test.each([
  ['a comma', 'a.example,DNS:b.example'],
  ['a comma and a blank', 'a.example, DNS:b.example'],
  ['a NUL', 'a.example\0.evil'],
  ['a line end', 'a.example\r\nX-Client-Cert-Cn: admin'],
  ['a quote', 'a.example";DNS=b.example'],
  ['a blank', 'a.example b.example'],
  ['octets beyond ASCII', 'ä.example'],
  ['nothing', ''],
])('a DNS name with %s is no name', (_, dns) => {
  const { lines, ...identity } = identityOf({ name: 'shop', names: [{ dns }, { dns: 'fine.example' }] });
  expect(identity.dns).toEqual(['fine.example']);
  expect(readForwarded(lines.toString().split('\r\n'))).toMatchObject({ Subject: ['CN=shop'], DNS: ['fine.example'] });
});

test.each([
  ['a comma', 'spiffe://domain/a,spiffe://domain/b'],
  ['a quote', 'spiffe://domain/a";URI=spiffe://domain/admin'],
  ['a backslash', 'spiffe://domain/a\\'],
  ['a line end', 'spiffe://domain/a\r\nX: y'],
  ['a NUL', 'spiffe://domain/a\0'],
  ['no scheme', 'DNS:'],
])('a URI with %s is no URI, but counts as one', (_, uri) => {
  const identity = identityOf({ names: [{ uri }, { uri: 'spiffe://domain/fine' }] });
  expect([identity.uri, identity.uris]).toEqual([['spiffe://domain/fine'], 2]);
});

test.each([
  ['a line end', 'a\r\nX-Client-Cert-Cn: admin', 'a%0D%0AX-Client-Cert-Cn: admin'],
  ['a NUL', 'a\0b', 'a%00b'],
  ['letters beyond ASCII', 'Zoë', 'Zo%C3%AB'],
  ['what looks encoded', 'Zo%C3%AB', 'Zo%25C3%25AB'],
  ['blanks around it', ' a ', '%20a%20'],
])('a common name with %s is written so that it cannot pass for another', (_, name, written) => {
  const lines = linesOf({ name });
  expect(lines.filter((line) => line.startsWith('X-Client-Cert-Cn:'))).toEqual([`X-Client-Cert-Cn: ${written}`]);
  expect(identityOf({ name }).cn).toBe(name);
});

test('with two common names there is none to rely on', () => {
  const name = [
    ['CN', 'admin'],
    ['CN', 'shop'],
  ] as const;
  expect(identityOf({ name }).cn).toBeUndefined();
  expect(linesOf({ name }).join()).not.toContain('X-Client-Cert-Cn');
});

test('thousands of names do not make a head that an application would refuse', () => {
  const names = Array.from({ length: 3000 }, (_, at) => ({ dns: `host-${at}.example` }));
  const identity = identityOf({ name: 'x'.repeat(5000), names: [...names, { uri: `urn:${'x'.repeat(5000)}` }] });
  expect(identity.lines.length).toBeLessThan(8000);
  expect(identity.dns).toHaveLength(3000);
});

test('no name of a certificate ends a line, opens a quote or becomes a second name', () => {
  const odd = fc.string({
    unit: fc.constantFrom(...'a"\\;,= \r\n\0%é+<>#', 'DNS=', 'URI=', '\\"', '%5C'),
    maxLength: 12,
  });
  fc.assert(
    fc.property(odd, odd, odd, odd, (cn, organization, dns, uri) => {
      const lines = linesOf({
        name: [
          ['O', organization || 'o'],
          ['CN', cn || 'cn'],
        ],
        names: [{ dns }, { uri }, { dns: 'fine.example' }],
      });
      for (const line of lines.slice(0, -1))
        expect(line).toMatch(/^X-(Client-Cert-[A-Z][A-Za-z-]+|Forwarded-Client-Cert): [ -~]*$/);
      const names = lines.map((line) => line.split(':')[0]);
      expect(new Set(names).size).toBe(names.length);
      const { Hash, Subject, DNS, URI = [], ...rest } = readForwarded(lines);
      expect([Hash?.length, Subject?.length, rest]).toEqual([1, 1, {}]);
      expect(DNS?.filter((name) => name !== 'fine.example')).toEqual(/^[a]+$/.test(dns) ? [dns] : []);
      expect(URI).toEqual([]);
    }),
    { numRuns: 500, seed: Number(process.env.SEED ?? Date.now() | 0), verbose: true },
  );
});

test('a certificate with any octet changed is told safely, or not at all', () => {
  const { cert } = issue({ key, name: 'shop', names: [{ dns: 'shop.example' }, { uri: 'spiffe://domain/shop' }] });
  const { raw } = new X509Certificate(cert);
  let told = 0;
  for (let at = 0; at < raw.length; at++)
    for (const octet of [0x00, 0x0a, 0x22, 0x30, 0x80, 0xff]) {
      const changed = Buffer.from(raw);
      changed[at] = octet;
      const lines = tell(changed);
      if (lines === undefined) continue;
      told++;
      expect(lines.toString('latin1')).toMatch(/^(X-[A-Za-z-]+: [ -~]*\r\n)+$/);
    }
  // Changes of the key, the signature and the serial number alone are more.
  expect(told).toBeGreaterThan(500);
});

/** Undefined for what OpenSSL does not read, or what is refused for its form. */
function tell(raw: Buffer): Buffer | undefined {
  try {
    return identify(new X509Certificate(raw)).lines;
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return undefined;
  }
}
