import { writeFile } from 'node:fs/promises';
import { type Scratch, scratch } from '@outrigger/core/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkTls } from '../../src/tls/check.ts';
import type { TlsSettings } from '../../src/tls/settings.ts';
import { inDays, issue, revoke } from './make.ts';
import { writePair } from './serve.ts';

let directory: Scratch;
beforeEach(async () => {
  directory = await scratch();
});
afterEach(() => directory[Symbol.asyncDispose]());

type Said = [parameter: string, message: string][];

function said(settings: Partial<TlsSettings>): { readonly problems: Said; readonly warnings: Said } {
  const problems: Said = [];
  const warnings: Said = [];
  const base = { mode: 'http', tlsMinimumVersion: '1.2', tlsTicketRotation: 1, tlsReloadPeriod: 1 } as const;
  checkTls(
    { ...base, ...settings },
    {
      problem: (parameter, message) => problems.push([parameter, message]),
      warning: (parameters, message) => warnings.push([String(parameters), message]),
    },
  );
  return { problems, warnings };
}

const problemsOf = (settings: Partial<TlsSettings>) => said(settings).problems;

const certificates = (...names: string[]) => names.map((name) => directory.join(`${name}.crt`));
const keys = (...names: string[]) => names.map((name) => directory.join(`${name}.key`));
const pairs = (...names: string[]) => ({ tlsCertificateFile: certificates(...names), tlsKeyFile: keys(...names) });

const shop = issue({ names: [{ dns: 'shop.example' }] });
const rsa = issue({ kind: 'rsa', names: [{ dns: 'shop.example' }] });
const authority = issue({ name: 'Clients', authority: true });

test('nothing is wrong without TLS, nor with all of it', async () => {
  await writePair(directory, 'a', shop);
  await writePair(directory, 'b', rsa);
  await writeFile(directory.join('ca.crt'), authority.cert);
  await writeFile(directory.join('ca.crl'), revoke(authority));
  expect(problemsOf({})).toEqual([]);
  expect(problemsOf({ tlsCertificateFile: [], tlsKeyFile: [], clientAllowCn: [] })).toEqual([]);
  const all = {
    ...pairs('a', 'b'),
    ...{ clientCaFile: directory.join('ca.crt'), clientCrlFile: directory.join('ca.crl') },
    ...{ clientCertificate: 'optional' as const, clientAllowDns: ['*.example'], clientAllowUri: ['spiffe://domain/*'] },
  };
  expect(said(all)).toEqual({ problems: [], warnings: [] });
});

test('what is past its time, or before it, is warned of with its date', async () => {
  const dated = 'T\\d\\d:\\d\\d:\\d\\d\\.000Z; ';
  const about = (file: string, detail: string) =>
    expect.stringMatching(new RegExp(`^"${RegExp.escape(directory.join(file))}" ${detail}${dated}`));
  await writePair(directory, 'a', shop);
  await writePair(directory, 'late', issue({ names: [{ dns: 'late.example' }], notAfter: inDays(-1) }));
  await writePair(directory, 'early', issue({ names: [{ dns: 'early.example' }], notBefore: inDays(1) }));
  await writeFile(directory.join('ca.crt'), authority.cert);
  await writeFile(directory.join('ca.crl'), revoke(authority, { thisUpdate: inDays(-3), nextUpdate: inDays(-2) }));
  const clients = { clientCaFile: directory.join('ca.crt'), clientCrlFile: directory.join('ca.crl') };
  const day = (days: number) => inDays(days).toISOString().slice(0, 10);
  expect(said({ ...pairs('late', 'early'), ...clients })).toEqual({
    problems: [],
    warnings: [
      ['tlsCertificateFile', about('late.crt', `expired at ${day(-1)}`)],
      ['tlsCertificateFile', about('early.crt', `is not valid before ${day(1)}`)],
      ['clientCrlFile', about('ca.crl', `holds a list of "Clients" that expired at ${day(-2)}`)],
    ],
  });
  expect(said({ ...pairs('a'), ...clients, clientCertificate: 'none' })).toEqual({ problems: [], warnings: [] });
});

test('half of a pair is named with what it lacks', async () => {
  await writePair(directory, 'a', shop);
  expect(problemsOf({ tlsCertificateFile: certificates('a', 'b'), tlsKeyFile: keys('a') })).toEqual([
    ['tlsKeyFile', `a key is needed for "${directory.join('b.crt')}": both are paired in their order`],
  ]);
  expect(problemsOf({ tlsKeyFile: keys('a') })).toEqual([
    ['tlsCertificateFile', `a certificate is needed for "${directory.join('a.key')}": both are paired in their order`],
  ]);
});

test('everything that is wrong is said, of each pair', async () => {
  await writePair(directory, 'a', { ...shop, key: rsa.key });
  await writePair(directory, 'b', { ...shop, cert: 'rubbish' });
  await writeFile(directory.join('ca.crt'), 'rubbish');
  expect(problemsOf({ ...pairs('a', 'b', 'none'), clientCaFile: directory.join('ca.crt') })).toEqual([
    ['tlsKeyFile', `"${directory.join('a.key')}": is not the key of the certificate`],
    ['tlsCertificateFile', `"${directory.join('b.crt')}": holds no PEM certificate`],
    ['tlsCertificateFile', `"${directory.join('none.crt')}": no such file`],
    ['clientCaFile', 'holds no PEM certificate'],
  ]);
  expect(problemsOf(pairs('a'))).toEqual([['tlsKeyFile', 'is not the key of the certificate']]);
});

test('a pair that no client would ever be shown is said', async () => {
  await writePair(directory, 'a', shop);
  await writePair(directory, 'b', issue({ names: [{ dns: 'shop.example' }] }));
  expect(problemsOf(pairs('a', 'b'))).toEqual([['tlsCertificateFile', expect.stringContaining('is never shown')]]);
});

test('what needs authorities is said without them', () => {
  const clientAllowSpki = [`sha256/${'A'.repeat(43)}=`];
  expect(problemsOf({ clientCertificate: 'optional', clientCrlFile: '/none', clientAllowSpki })).toEqual([
    ['clientCertificate', 'needs --client-ca-file, the authorities to check them by'],
    ['clientCrlFile', 'needs --client-ca-file'],
    ['clientAllowSpki', 'needs --client-ca-file'],
  ]);
});

test('authorities without TLS, and lists that nobody is checked by, are said', async () => {
  await writeFile(directory.join('ca.crt'), authority.cert);
  const clientCaFile = directory.join('ca.crt');
  expect(problemsOf({ clientCaFile, clientCertificate: 'none', clientAllowCn: ['shop'] })).toEqual([
    ['clientCaFile', 'needs --tls-certificate-file: without TLS there are none'],
    ['clientAllowCn', 'is of no use with --client-certificate none'],
  ]);
});

test('lists of others than the authorities, and entries that never match, are said', async () => {
  await writePair(directory, 'a', shop);
  await writeFile(directory.join('ca.crt'), authority.cert);
  await writeFile(directory.join('ca.crl'), revoke(issue({ name: 'Other', authority: true })));
  const settings = { clientCaFile: directory.join('ca.crt'), clientCrlFile: directory.join('ca.crl') };
  expect(problemsOf({ ...pairs('a'), ...settings, clientAllowDns: ['a', '*'], clientAllowUri: ['shop'] })).toEqual([
    ['clientCrlFile', 'holds a list of "Other", which is not among the authorities'],
    ['clientAllowDns', expect.stringMatching(/^"\*": a name such as .* is expected$/)],
    ['clientAllowUri', expect.stringMatching(/^"shop": a URI such as .* is expected$/)],
  ]);
});
