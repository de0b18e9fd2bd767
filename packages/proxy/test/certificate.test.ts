import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:tls';
import {
  type Made,
  makeCertificate,
  makeVolume,
  type Scratch,
  scratch,
  startSidecar,
  until,
  writeCertificate,
} from '@outrigger/core/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';

let directory: Scratch;
beforeEach(async () => {
  directory = await scratch();
});
afterEach(() => directory[Symbol.asyncDispose]());

/** Name and expiry of the certificate that a new client is shown. */
async function shown(port: number): Promise<{ name: string; protocol: string | null }> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const name = socket.getPeerCertificate().subject.CN as string;
  const protocol = socket.getProtocol();
  socket.destroy();
  return { name, protocol };
}

async function startWith(flags: readonly string[]) {
  const sidecar = await startSidecar(import.meta.resolve('../src/main.ts'), [
    ...['--listen-address', '127.0.0.1:0', '--tls-reload-period', '50ms', ...flags],
  ]);
  const { listenAddress } = (await (await sidecar.get('/v1/status')).json()) as { listenAddress: string };
  return { sidecar, port: Number(listenAddress.split(':')[1]) };
}

const flagsFor = (files: { certificateFile: string; keyFile: string }) => [
  ...['--tls-certificate-file', files.certificateFile, '--tls-key-file', files.keyFile],
];

const filesOf = ({ cert, key }: Made) => ({ 'tls.crt': cert, 'tls.key': key });

test('a swap of ..data is followed, and open connections stay', async () => {
  const volume = await makeVolume(directory.path, filesOf(makeCertificate({ name: 'one' })));
  const files = { certificateFile: directory.join('tls.crt'), keyFile: directory.join('tls.key') };
  const { sidecar, port } = await startWith(flagsFor(files));
  await using _running = sidecar;
  const open = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(open, 'secureConnect');
  expect(await shown(port)).toEqual({ name: 'one', protocol: 'TLSv1.3' });
  const notAfter = new Date('2031-02-03T04:05:06Z');
  await volume.swap(filesOf(makeCertificate({ name: 'two', notAfter })));
  await until(async () => (await shown(port)).name === 'two', { what: 'the new certificate' });
  open.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(open, 'data');
  expect(open.destroyed).toBe(false);
  open.destroy();
  const [certificate] = (await (await sidecar.get('/v1/certificates')).json()) as object[];
  expect(certificate).toMatchObject({
    file: files.certificateFile,
    subject: 'CN=two',
    notAfter: notAfter.toISOString(),
  });
  const metrics = await (await sidecar.get('/metrics')).text();
  expect(metrics).toContain(`outrigger_proxy_certificate_not_after_seconds ${notAfter.getTime() / 1000}`);
  expect(metrics).toContain('outrigger_proxy_certificate_reloads_total{result="used"} 1');
});

test('a pair that does not match is refused, said once, and the one before stays until it does', async () => {
  const files = await writeCertificate(directory.path, makeCertificate({ name: 'old' }));
  const { sidecar, port } = await startWith(flagsFor(files));
  await using _running = sidecar;
  const fresh = makeCertificate({ name: 'new' });
  await writeFile(files.certificateFile, fresh.cert);
  await until(() => sidecar.logs().some(({ code }) => code === 'PROXY_CERTIFICATE_REFUSED'));
  expect((await shown(port)).name).toBe('old');
  await writeFile(files.keyFile, fresh.key);
  await until(async () => (await shown(port)).name === 'new');
  expect(sidecar.logs().filter(({ code }) => code === 'PROXY_CERTIFICATE_REFUSED')).toHaveLength(1);
});

test('an expired certificate is served, because some client may still want it, but is not ready', async () => {
  const files = await writeCertificate(directory.path, makeCertificate({ notAfter: new Date(Date.now() - 1_000) }));
  const { sidecar } = await startWith(flagsFor(files));
  await using _running = sidecar;
  const ready = await sidecar.get('/readyz?verbose');
  expect(ready.status).toBe(503);
  expect(await ready.text()).toMatch(/\[-\]certificate failed: The certificate \S+ expired at /);
  await writeCertificate(directory.path, makeCertificate());
  await until(async () => (await sidecar.get('/readyz')).ok);
});

test('TLS below 1.2 and plain HTTP on the TLS port get no further, and are counted', async () => {
  const { sidecar, port } = await startWith(flagsFor(await writeCertificate(directory.path)));
  await using _running = sidecar;
  const old = connect({
    host: '127.0.0.1',
    port,
    rejectUnauthorized: false,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  });
  await once(old, 'error');
  const { ask, get } = await import('./raw.ts');
  expect(await ask(port, get)).not.toContain('200');
  await until(async () => (await (await sidecar.get('/metrics')).text()).includes('handshake_failures_total 2'));
});
