import { expect, test } from 'vitest';
import { type AllowLists, compileAllow, entryProblem } from '../../src/tls/allow.ts';
import type { ClientIdentity } from '../../src/tls/identity.ts';

const identityWith = (some: Partial<ClientIdentity>): ClientIdentity => ({
  ...{ subject: '', issuer: '', cn: undefined, dns: [], uri: [], spki: 'sha256/none', fingerprint256: '' },
  ...{ notAfter: new Date(), lines: Buffer.alloc(0) },
  uris: some.uri?.length ?? 0,
  ...some,
});

const isAllowed = (lists: AllowLists, some: Partial<ClientIdentity>) => compileAllow(lists)(identityWith(some));
const refused = 'certificate_not_allowed';

test('without a list every certificate of the authorities is let in', () => {
  for (const lists of [{}, { clientAllowDns: [] }, { clientAllowUri: undefined }])
    expect(isAllowed(lists, { uri: ['a:b', 'c:d'] })).toBeUndefined();
});

test('one match in any of the lists is enough', () => {
  const lists = { clientAllowDns: ['a.example'], clientAllowCn: ['shop'], clientAllowSpki: ['sha256/pin'] };
  for (const some of [{ dns: ['x.example', 'a.example'] }, { cn: 'shop' }, { spki: 'sha256/pin' }])
    expect(isAllowed(lists, some)).toBeUndefined();
  expect(isAllowed(lists, { dns: ['b.example'], cn: 'a.example', spki: 'sha256/shop' })).toBe(refused);
});

test.each([
  ['a.example', 'A.Example', true],
  ['A.example', 'a.example', true],
  ['a.example', 'b.a.example', false],
  ['a.example', 'a.example.evil', false],
  ['a.example', 'a.example\0.evil', false],
  ['a.example', 'a.example,b.example', false],
  ['a.example', ' a.example', false],
  ['a.example', '*.example', false],
  ['*.example', 'a.example', true],
  ['*.example', 'a.b.example', false],
  ['*.example', 'example', false],
  ['*.example', '.example', false],
  ['*.example', '*.example', false],
  ['*.example', '-.example', false],
  ['*.example', 'a.example.', false],
])('a list with the name %j takes %j: %j', (entry, name, matches) => {
  expect(isAllowed({ clientAllowDns: [entry] }, { dns: [name] })).toBe(matches ? undefined : refused);
});

test.each([
  ['spiffe://domain/ns/a', 'spiffe://domain/ns/a', true],
  ['spiffe://domain/ns/a', 'spiffe://domain/ns/a/', false],
  ['spiffe://domain/ns/a', 'spiffe://domain/ns/ab', false],
  ['spiffe://domain/ns/a', 'spiffe://Domain/ns/a', false],
  ['spiffe://domain/*', 'spiffe://domain/ns/a', true],
  ['spiffe://domain/*', 'spiffe://domain', false],
  ['spiffe://domain/*', 'spiffe://domain/', false],
  ['spiffe://domain/*', 'spiffe://domain.evil/ns/a', false],
  ['spiffe://domain/*', 'spiffe://other/ns/a', false],
  ['spiffe://domain/*', 'spiffe://domain/*', false],
  ['spiffe://domain/ns/*', 'spiffe://domain/ns/a/b', true],
  ['spiffe://domain/ns/*', 'spiffe://domain/nsx/a', false],
  ['spiffe://domain/ns/*', 'spiffe://domain/ns/../other', false],
  ['spiffe://domain/ns/*', 'spiffe://domain/ns/./a', false],
  ['spiffe://domain/ns/*', 'spiffe://domain/ns//a', false],
  ['spiffe://domain/ns/*', 'spiffe://domain/ns/%2e%2e/a', false],
  ['spiffe://domain/ns/*', 'spiffe://domain/ns/a?b', false],
  ['spiffe://domain/ns/*', 'spiffe://domain/ns/a#b', false],
  ['urn:uuid:1', 'urn:uuid:1', true],
  ['urn:uuid:1', 'urn:uuid:12', false],
  ['https://a.example/*', 'https://a.example/b', true],
  ['https://a.example/*', 'https://a.example/../b', false],
])('a list with the URI %j takes %j: %j', (entry, uri, matches) => {
  expect(isAllowed({ clientAllowUri: [entry] }, { uri: [uri] })).toBe(matches ? undefined : refused);
});

test('with a list of URIs a certificate has exactly one, or another list lets it in', () => {
  const clientAllowUri = ['spiffe://domain/*'];
  const uri = ['spiffe://domain/a'];
  expect(isAllowed({ clientAllowUri }, {})).toBe('certificate_uri');
  expect(isAllowed({ clientAllowUri, clientAllowCn: ['shop'] }, { cn: 'shop' })).toBeUndefined();
  expect(isAllowed({ clientAllowUri, clientAllowCn: ['shop'] }, { cn: 'other' })).toBe(refused);
  for (const two of [{ uri: [...uri, 'spiffe://domain/b'] }, { uri, uris: 2 }, { uri, uris: 2, cn: 'shop' }])
    expect(isAllowed({ clientAllowUri, clientAllowCn: ['shop'] }, two)).toBe('certificate_uri');
});

test.each([
  [
    'clientAllowDns',
    ['a.example', '*.example', 'host', 'A.Example'],
    ['', '*', '*.*.example', 'a..b', 'a b', 'a.*', 'ä.example'],
  ],
  [
    'clientAllowUri',
    ['spiffe://domain/a', 'spiffe://domain/*', 'urn:x:y', 'https://a.example/*'],
    [
      '',
      'domain/a',
      'spiffe://domain',
      'spiffe://domain*',
      'spiffe://domain/a*',
      'spiffe://*/a',
      'spiffe://Domain/a',
      'spiffe://domain/../a',
      'a:b c',
    ],
  ],
  ['clientAllowCn', ['shop', 'Shop of all'], ['']],
  [
    'clientAllowSpki',
    [`sha256/${'A'.repeat(43)}=`],
    ['', 'A'.repeat(44), `sha256/${'A'.repeat(44)}`, `sha1/${'A'.repeat(43)}=`],
  ],
] as const)('entries of %s are checked', (name, right, wrong) => {
  for (const entry of right) expect(entryProblem[name](entry), entry).toBeUndefined();
  for (const entry of wrong) expect(entryProblem[name](entry), entry).toMatch(/is expected$/);
});
