// TLS towards the target, with a real server that asks for a client certificate.

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import {
  type Made,
  makeCertificate,
  makeVolume,
  type RunningSidecar,
  type Scratch,
  scratch,
  startSidecar,
  until,
  writeCertificate,
} from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';

const authority = (name: string) => makeCertificate({ name, authority: true });
const rules = `
rules:
  - { metric: queue_depth, type: gauge, help: Jobs, path: /status/@depth }
`;

type Target = AsyncDisposable & {
  readonly url: string;
  /** Common names of those who asked, in order. */
  readonly clients: string[];
  /** Shows another certificate from now on. */
  show(made: Made): void;
};

/** @param ca from which clients must have their certificate; any client may come without it */
async function serveTls(made: Made, ca?: Made): Promise<Target> {
  const clients: string[] = [];
  const server = createServer(
    { cert: made.cert, key: made.key, ...(ca && { ca: ca.cert, requestCert: true }) },
    (request, response) => {
      clients.push(String((request.socket as TLSSocket).getPeerCertificate().subject?.CN ?? 'nobody'));
      response.writeHead(200, { 'content-type': 'text/xml' }).end('<status depth="7"/>');
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/status.xml`,
    clients,
    show: ({ cert, key }) => server.setSecureContext({ cert, key, ...(ca && { ca: ca.cert }) }),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function startAdapter(dir: Scratch, { url }: Pick<Target, 'url'>, args: readonly string[], wait = true) {
  await writeFile(dir.join('rules.yaml'), rules);
  const own = ['--target', url, '--rules-file', dir.join('rules.yaml'), '--max-age', '0'];
  return startSidecar(import.meta.resolve('../src/main.ts'), [...own, ...args], { wait });
}

/** One scrape: whether the target answered. */
async function isUp(sidecar: RunningSidecar): Promise<boolean> {
  const text = await (await sidecar.get('/metrics')).text();
  expect(text.includes('\nqueue_depth 7')).toBe(text.includes('\noutrigger_adapter_target_up 1'));
  return text.includes('\noutrigger_adapter_target_up 1');
}

test('a target whose authority is not trusted is not asked; the file makes it so', async () => {
  await using dir = await scratch();
  const ca = authority('ca');
  await writeFile(dir.join('ca.crt'), ca.cert);
  await using target = await serveTls(makeCertificate({ issuer: ca }));
  await using strict = await startAdapter(dir, target, []);
  expect(await isUp(strict)).toBe(false);
  expect(strict.logs()).toContainEqual(
    expect.objectContaining({
      code: 'ADAPTER_TARGET_UNREACHABLE',
      message: expect.stringContaining('unable to verify the first certificate'),
    }),
  );
  await using trusting = await startAdapter(dir, target, ['--target-ca-file', dir.join('ca.crt')]);
  expect(await isUp(trusting)).toBe(true);
  expect(target.clients).toEqual(['nobody']);
});

test('the name in the certificate has to be that of the target', async () => {
  await using dir = await scratch();
  const ca = authority('ca');
  await writeFile(dir.join('ca.crt'), ca.cert);
  await using target = await serveTls(makeCertificate({ issuer: ca, hosts: ['elsewhere.example'] }));
  await using sidecar = await startAdapter(dir, target, ['--target-ca-file', dir.join('ca.crt')]);
  expect(await isUp(sidecar)).toBe(false);
  expect(sidecar.stderr).toContain('is not in the cert');
});

describe('with a client certificate', () => {
  const files = (ca: Made, client: Made) => ({ 'ca.crt': ca.cert, 'tls.crt': client.cert, 'tls.key': client.key });
  const flags = (path: string) => [
    ...['--target-ca-file', `${path}/ca.crt`],
    ...['--target-certificate-file', `${path}/tls.crt`, '--target-key-file', `${path}/tls.key`],
  ];

  test('a swap of ..data rotates it, and the authorities, without a restart', async () => {
    await using dir = await scratch();
    const ca = authority('ca');
    const client = (name: string) => makeCertificate({ name, issuer: ca });
    await using target = await serveTls(makeCertificate({ issuer: ca }), ca);
    const volume = await makeVolume(dir.join('tls'), files(ca, client('one')));
    await using sidecar = await startAdapter(dir, target, flags(volume.path));
    expect(await isUp(sidecar)).toBe(true);
    await volume.swap(files(ca, client('two')));
    await until(async () => (await isUp(sidecar)) && target.clients.at(-1) === 'two', {
      what: 'the second certificate',
    });
    expect(target.clients[0]).toBe('one');

    const fresh = authority('fresh');
    target.show(makeCertificate({ issuer: fresh }));
    expect(await isUp(sidecar)).toBe(false);
    await volume.swap(files(fresh, client('three')));
    await until(() => isUp(sidecar), { what: 'the new authority to be trusted' });
    expect(target.clients.at(-1)).toBe('three');
    expect(sidecar.logs().filter(({ level }) => level === 'warn')).toEqual([
      expect.objectContaining({ code: 'ADAPTER_TARGET_UNREACHABLE' }),
    ]);
  });

  test('a wrong change is said once, and what was there before goes on', async () => {
    await using dir = await scratch();
    const ca = authority('ca');
    await using target = await serveTls(makeCertificate({ issuer: ca }), ca);
    await writeFile(dir.join('ca.crt'), ca.cert);
    const { keyFile } = await writeCertificate(dir.path, makeCertificate({ name: 'one', issuer: ca }));
    await using sidecar = await startAdapter(dir, target, flags(dir.path));
    await writeFile(keyFile, makeCertificate().key);
    const refusals = () => sidecar.logs().filter(({ code }) => code === 'ADAPTER_TLS_REFUSED');
    await until(() => refusals().length > 0);
    expect(refusals()[0]!.message).toContain(`${keyFile} is not the key of the certificate`);
    expect(await isUp(sidecar)).toBe(true);
    await writeCertificate(dir.path, makeCertificate({ name: 'two', issuer: ca }));
    await until(async () => (await isUp(sidecar)) && target.clients.at(-1) === 'two');
    expect(refusals()).toHaveLength(1);
  });

  test('one that has expired is said at the start', async () => {
    await using dir = await scratch();
    const ca = authority('ca');
    await using target = await serveTls(makeCertificate({ issuer: ca }));
    await writeFile(dir.join('ca.crt'), ca.cert);
    await writeCertificate(dir.path, makeCertificate({ issuer: ca, notAfter: new Date(Date.now() - 1000) }));
    await using sidecar = await startAdapter(dir, target, flags(dir.path));
    expect(sidecar.logs()).toContainEqual(expect.objectContaining({ code: 'ADAPTER_CERTIFICATE_EXPIRED' }));
  });
});

test.each<[what: string, url: string, write: (dir: Scratch) => Promise<readonly string[]>, said: RegExp]>([
  [
    'an authority file that is none',
    'https://127.0.0.1:1/',
    async (dir) => {
      await writeFile(dir.join('ca.crt'), 'rubbish');
      return ['--target-ca-file', dir.join('ca.crt')];
    },
    /--target-ca-file +\S+ca\.crt \(--target-ca-file\): holds no PEM certificate/,
  ],
  [
    'a key of another certificate',
    'https://127.0.0.1:1/',
    async (dir) => {
      const { certificateFile, keyFile } = await writeCertificate(dir.path);
      await writeFile(keyFile, makeCertificate().key);
      return ['--target-certificate-file', certificateFile, '--target-key-file', keyFile];
    },
    /--target-key-file +\S+tls\.key \(--target-key-file\): is not the key of the certificate/,
  ],
  [
    'a certificate without its key',
    'https://127.0.0.1:1/',
    async (dir) => ['--target-certificate-file', (await writeCertificate(dir.path)).certificateFile],
    /--target-key-file +is needed with a certificate/,
  ],
  [
    'a file for a target without TLS',
    'http://127.0.0.1:1/',
    async (dir) => ['--target-ca-file', (await writeCertificate(dir.path)).certificateFile],
    /--target-ca-file +\S+ \(--target-ca-file\): is of use with an https target only/,
  ],
])('%s is a wrong parameter', async (_, url, write, said) => {
  await using dir = await scratch();
  await using sidecar = await startAdapter(dir, { url }, await write(dir), false);
  expect((await sidecar.exited).code).toBe(64);
  expect(sidecar.stderr).toMatch(said);
});
