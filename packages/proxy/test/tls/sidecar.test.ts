// TLS in the proxy as a process: what clients are shown, what the application is told, what operators see.

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { type ConnectionOptions, connect } from 'node:tls';
import { type Scratch, scratch, startSidecar, until, writeCertificate } from '@outrigger/core/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { always, ok, Raw, RawApplication } from '../raw.ts';
import { startProxy } from '../start-proxy.ts';
import { inDays, issue, revoke } from './make.ts';
import { clientWith } from './serve.ts';

const authority = issue({ name: 'Clients', authority: true });
const shop = issue({ name: 'shop', names: [{ uri: 'spiffe://domain/shop' }], issuer: authority });
const thief = issue({ name: 'thief', names: [{ uri: 'spiffe://domain/thief' }], issuer: authority });

let application: RawApplication;
let directory: Scratch;
beforeAll(async () => {
  application = await RawApplication.open();
});
afterAll(() => application[Symbol.asyncDispose]());
beforeEach(async () => {
  application.become(always(ok));
  directory = await scratch();
  await writeFile(directory.join('ca.crt'), authority.cert);
  await writeFile(directory.join('ca.crl'), revoke(authority, { revoked: [thief] }));
});
afterEach(() => directory[Symbol.asyncDispose]());

const startWith = (...flags: string[]) =>
  startProxy({
    upstream: application.url,
    tls: true,
    flags: [
      ...['--client-ca-file', directory.join('ca.crt'), '--client-crl-file', directory.join('ca.crl')],
      ...['--tls-reload-period', '50ms', ...flags],
    ],
  });

/** What a client with this certificate is answered, '' when it is hung up on. */
async function ask(port: number, options: ConnectionOptions, ...fields: string[]): Promise<string> {
  using client = new Raw(connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }));
  client.send(['GET / HTTP/1.1', 'Host: a.example', 'Connection: close', ...fields, '', ''].join('\r\n'));
  return await client.untilEnd();
}

const told = () => application.connections.map(({ text }) => text).join('');

test('the application is told who the client is, and not what the client says of itself', async () => {
  await using proxy = await startWith('--client-allow-uri', 'spiffe://domain/*');
  const lies = ['X-Client-Cert-Cn: admin', 'x_client_cert_cn: admin', 'X-Forwarded-Client-Cert: Subject="CN=admin"'];
  expect(await ask(proxy.port, clientWith(shop), ...lies, 'X-Client.Cert-Dns: admin')).toMatch(/^HTTP\/1.1 200 /);
  expect(told()).toContain('X-Client-Cert-Cn: shop\r\n');
  expect(told()).toContain('X-Client-Cert-Uri: spiffe://domain/shop\r\n');
  expect(told()).toMatch(
    /X-Forwarded-Client-Cert: Hash=[0-9a-f]{64};Subject="CN=shop";URI=spiffe:\/\/domain\/shop\r\n/,
  );
  expect(told()).not.toContain('admin');
});

test('where certificates are required, one that is no good is hung up on before a request is read', async () => {
  await using proxy = await startWith();
  for (const [certificate, reason] of [
    [thief, 'certificate_revoked'],
    [issue({ name: 'stranger' }), 'certificate_untrusted'],
    [issue({ name: 'late', issuer: authority, notAfter: inDays(-1) }), 'certificate_expired'],
  ] as const) {
    const more = await proxy.growth(`refusals_total{reason="${reason}"}`, async () => {
      expect(await ask(proxy.port, clientWith(certificate))).toBe('');
    });
    expect(more).toBe(1);
  }
  // The first is said, the others only counted.
  const warned = proxy.sidecar.logs().filter(({ level }) => level === 'warn');
  expect(warned).toMatchObject([
    { code: 'PROXY_CLIENT_REFUSED', reason: 'certificate_revoked', detail: 'CERT_REVOKED' },
  ]);
  expect(warned[0]!.message).toMatch(/^The certificate of client 127\.0\.0\.1:\d+ is refused: certificate_revoked$/);
  const missing = 'refusals_total{reason="certificate_missing"}';
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const failed = () => proxy.growth('handshake_failures_total', () => ask(proxy.port, { maxVersion }));
    expect(
      await proxy.growth(missing, async () => {
        expect(await failed()).toBe(1);
      }),
    ).toBe(1);
  }
  expect(told()).toBe('');
});

test('where they are optional, one that is no good is answered with 403, and none is fine', async () => {
  await using proxy = await startWith('--client-certificate', 'optional', '--client-allow-cn', 'shop');
  const other = issue({ name: 'other', issuer: authority });
  for (const [certificate, reason] of [
    [thief, 'certificate_revoked'],
    [other, 'certificate_not_allowed'],
  ] as const) {
    const answer = await ask(proxy.port, clientWith(certificate));
    expect(answer).toMatch(/^HTTP\/1.1 403 /);
    expect(answer).toContain(`"reason":"${reason}"`);
  }
  expect(told()).toBe('');
  expect(await ask(proxy.port, {}, 'X-Client-Cert-Cn: shop')).toMatch(/^HTTP\/1.1 200 /);
  expect(told()).not.toContain('X-Client-Cert');
});

test('HTTP/2 makes no difference to who is let in', async () => {
  await using proxy = await startWith('--client-certificate', 'optional');
  const statusFor = async (options: ConnectionOptions): Promise<number | undefined> => {
    const session = connectHttp2(`https://127.0.0.1:${proxy.port}`, { rejectUnauthorized: false, ...options });
    const [headers] = (await once(session.request(), 'response')) as [IncomingHttpHeaders & { ':status'?: number }];
    session.destroy();
    return headers[':status'];
  };
  expect(await statusFor(clientWith(thief))).toBe(403);
  expect(told()).toBe('');
  expect(await statusFor(clientWith(shop))).toBe(200);
  expect(told()).toContain('X-Client-Cert-Cn: shop\r\n');
});

test('operators see certificates, when they expire, and what is wrong with a new file', async () => {
  await using proxy = await startWith();
  const { sidecar } = proxy;
  const certificates = async () => (await (await sidecar.get('/v1/certificates')).json()) as object[];
  expect(await certificates()).toMatchObject([
    { use: 'server', kind: 'ecdsa', names: ['localhost'], subject: 'CN=localhost' },
    { use: 'clients', kind: 'ecdsa', names: [], subject: 'CN=Clients', file: directory.join('ca.crt') },
  ]);
  const [notAfter, nextUpdate] = ['certificate_not_after', 'crl_next_update'].map((name) => `${name}_seconds`);
  expect(await proxy.metric(`${notAfter}{file="${directory.join('ca.crt')}"}`)).toBeGreaterThan(Date.now() / 1000);
  expect(await proxy.metric(`${nextUpdate}{file="${directory.join('ca.crl')}"}`)).toBeGreaterThan(Date.now() / 1000);
  await writeFile(directory.join('ca.crl'), 'rubbish');
  await until(() => sidecar.logs().some(({ code }) => code === 'PROXY_CERTIFICATE_REFUSED'));
  expect(await proxy.metric('certificate_reloads_total{result="refused"}')).toBe(1);
  const status = await (await sidecar.get('/v1/status')).json();
  expect(status).toMatchObject({
    tls: { clientCertificate: 'required', lastError: { detail: 'holds no PEM revocation list' } },
  });
  expect(await certificates()).toMatchObject([{}, { problem: 'holds no PEM revocation list' }]);
  expect(await ask(proxy.port, clientWith(thief))).toBe('');
});

test('an expired certificate is served, but is not ready until it is replaced', async () => {
  const late = issue({ name: 'late', notBefore: inDays(-9), notAfter: inDays(-8) });
  const files = await writeCertificate(directory.path, { name: 'late', ...late });
  const sidecar = await startSidecar(import.meta.resolve('../../src/main.ts'), [
    ...['--listen-address', '127.0.0.1:0', '--upstream', application.url, '--tls-reload-period', '50ms'],
    ...['--tls-certificate-file', files.certificateFile, '--tls-key-file', files.keyFile],
  ]);
  await using _running = sidecar;
  const ready = await sidecar.get('/readyz?verbose');
  expect(ready.status).toBe(503);
  expect(await ready.text()).toMatch(/\[-\]certificate failed: The certificate \S+ expired at /);
  await writeCertificate(directory.path, { name: 'new', ...issue({ name: 'new' }) });
  await until(async () => (await sidecar.get('/readyz')).ok);
});

test('parameters that do not go together are all said at once', async () => {
  const sidecar = await startSidecar(
    import.meta.resolve('../../src/main.ts'),
    ['--client-certificate', 'optional', '--client-allow-dns', '*', '--client-crl-file', directory.join('ca.crl')],
    { wait: false },
  );
  await using _running = sidecar;
  await until(() => sidecar.stderr.includes('parameters are wrong'));
  await until(() => /--client-allow-dns .*name such as/.test(sidecar.stderr));
  expect(sidecar.stderr).toMatch(/--client-certificate .*needs --client-ca-file/);
  expect(sidecar.stderr).toMatch(/--client-crl-file .*needs --client-ca-file/);
});
