import { once } from 'node:events';
import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { wait } from '../src/every.ts';
import {
  type Made,
  makeCertificate,
  makeVolume,
  type Scratch,
  scratch,
  unprivileged,
  until,
  writeCertificate,
} from '../src/testing/index.ts';
import { readTls, type Tls, type TlsFileNames, TlsFiles, TlsProblem } from '../src/tls-files.ts';

const day = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * day);

describe('what is read', () => {
  test('is described without its key', async () => {
    await using dir = await scratch();
    const made = makeCertificate({ name: 'shop', hosts: ['shop.example', '10.0.0.1'], serial: 7 });
    const tls = readTls(await writeCertificate(dir.path, made));
    expect(tls.description).toMatchObject({
      subject: 'CN=shop',
      issuer: 'CN=shop',
      serialNumber: '07',
      subjectAlternativeNames: ['DNS:shop.example', 'IP Address:10.0.0.1'],
    });
    expect(JSON.stringify(tls.description)).not.toContain('PRIVATE');
  });

  test('has no more names than the certificate, whatever they hold', async () => {
    await using dir = await scratch();
    const hosts = ['a.example, DNS:b.example', 'c.example', 'd"e, f'];
    const { description } = readTls(await writeCertificate(dir.path, makeCertificate({ hosts })));
    expect(description?.subjectAlternativeNames).toEqual([
      'DNS:"a.example\\u002c DNS:b.example"',
      'DNS:c.example',
      'DNS:"d\\"e\\u002c f"',
    ]);
  });

  const fine = makeCertificate();
  const other = makeCertificate({ name: 'other' });
  const cut = fine.cert + other.cert.slice(0, 200);

  test.each([
    ['a certificate that is none', { cert: 'rubbish' }, 'certificateFile', 'holds no PEM certificate'],
    ['an empty certificate file', { cert: '' }, 'certificateFile', 'holds no PEM certificate'],
    ['a chain that is cut off', { cert: cut }, 'certificateFile', 'holds a certificate that cannot be read: 2 of 2'],
    ['a key that is none', { key: 'rubbish' }, 'keyFile', 'holds no PEM private key, or one with a passphrase'],
    ['an empty key file', { key: '' }, 'keyFile', 'holds no PEM private key, or one with a passphrase'],
    ['the key of another', { key: other.key }, 'keyFile', 'is not the key of the certificate'],
    [
      'certificate and key the wrong way round',
      { cert: fine.key, key: fine.cert },
      'certificateFile',
      'holds no PEM certificate',
    ],
    ['authorities that are none', { ca: 'rubbish' }, 'caFile', 'holds no PEM certificate'],
    ['a bundle that is cut off', { ca: cut }, 'caFile', 'holds a certificate that cannot be read: 2 of 2'],
  ] as const)('%s is named with its file', async (_, wrong, about, message) => {
    await using dir = await scratch();
    const files = await writeAll(dir, { ...fine, ...wrong });
    expect(() => readTls(files)).toThrow(expect.objectContaining({ about, message }));
  });

  test.each([
    ['a chain behind the certificate', { cert: `${fine.cert}${other.cert}` }],
    ['key and certificate in one file', { cert: `${fine.key}${fine.cert}`, key: `${fine.key}${fine.cert}` }],
    ['a bundle with words between its certificates', { ca: `# one\n${fine.cert}\n# two\n${other.cert}\nend` }],
  ] as const)('%s is usable', async (_, more) => {
    await using dir = await scratch();
    const tls = readTls(await writeAll(dir, { ...fine, ...more }));
    expect(tls.description?.subject).toBe('CN=localhost');
  });

  test('authorities alone are usable and have no dates', async () => {
    await using dir = await scratch();
    const { caFile } = await writeAll(dir, { ...fine, ca: fine.cert });
    const tls = readTls({ caFile });
    expect([tls.description, tls.notAfter, tls.outOfDate()]).toEqual([undefined, undefined, undefined]);
  });

  test('a file that is missing, a directory, one that may not be read, or half of a pair is said as such', async () => {
    await using dir = await scratch();
    await chmod(dir.path, 0o755);
    const { certificateFile, keyFile } = await writeCertificate(dir.path);
    const problem = (files: object) => {
      try {
        return readTls(files);
      } catch (error) {
        const { about, message } = error as TlsProblem;
        return [about, message];
      }
    };
    expect(problem({ certificateFile, keyFile: dir.join('none') })).toEqual(['keyFile', 'no such file']);
    expect(problem({ caFile: dir.path })).toEqual(['caFile', 'is a directory, a file is expected']);
    expect(problem({ certificateFile })).toEqual(['keyFile', 'is needed with a certificate']);
    expect(problem({ keyFile })).toEqual(['certificateFile', 'is needed with a key']);
    const denied = await unprivileged(async () => problem({ certificateFile, keyFile }));
    expect(denied).toEqual(['keyFile', 'no permission to read it']);
  });

  test.each([
    ['expired', { notBefore: inDays(-9), notAfter: inDays(-8) }, /^expired at \d{4}-/],
    ['not yet valid', { notBefore: inDays(8), notAfter: inDays(9) }, /^is not valid before \d{4}-/],
  ])('a certificate that is %s is usable, and says so', async (_, dates, said) => {
    await using dir = await scratch();
    const tls = readTls(await writeCertificate(dir.path, makeCertificate(dates)));
    expect(tls.outOfDate()).toMatch(said);
    expect(tls.outOfDate(new Date((dates.notBefore.getTime() + dates.notAfter.getTime()) / 2))).toBe(undefined);
  });
});

async function writeAll(dir: Scratch, { cert, key, ca }: { cert: string; key: string; ca?: string }) {
  const files = await writeCertificate(dir.path, { name: '', cert, key });
  if (ca === undefined) return { ...files, caFile: undefined };
  await writeFile(dir.join('ca.crt'), ca);
  return { ...files, caFile: dir.join('ca.crt') };
}

type Watched = AsyncDisposable & { readonly store: TlsFiles; readonly used: string[]; readonly refused: string[] };

/** Without a periodic comparison: what is noticed was told by the kernel. */
async function watched(files: TlsFileNames, reconcile = day): Promise<Watched> {
  const used: string[] = [];
  const refused: string[] = [];
  const store = await TlsFiles.open({
    files,
    reconcile,
    refused: ({ about, message }) => refused.push(`${about} ${message}`),
  });
  store.onChange(({ description }) => used.push(description?.subject ?? 'authorities'));
  return { store, used, refused, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

describe('files that change', () => {
  const ways: Record<string, (dir: Scratch, made: Made) => Promise<unknown>> = {
    'one after the other': async (dir, { cert, key }) => {
      await writeFile(dir.join('tls.crt'), cert);
      await wait(200);
      await writeFile(dir.join('tls.key'), key);
    },
    'the key first': async (dir, { cert, key }) => {
      await writeFile(dir.join('tls.key'), key);
      await wait(200);
      await writeFile(dir.join('tls.crt'), cert);
    },
    'in pieces': async (dir, { cert, key }) => {
      for (const [name, text] of [
        ['tls.crt', cert],
        ['tls.key', key],
      ] as const) {
        await writeFile(dir.join(name), '');
        await wait(100);
        await writeFile(dir.join(name), text.slice(0, 100));
        await wait(100);
        await writeFile(dir.join(name), text);
      }
    },
    'by a rename over each': async (dir, { cert, key }) => {
      for (const [name, text] of [
        ['tls.crt', cert],
        ['tls.key', key],
      ] as const) {
        await writeFile(dir.join(`${name}.new`), text);
        await rename(dir.join(`${name}.new`), dir.join(name));
      }
    },
    'removed first': async (dir, made) => {
      for (const name of ['tls.crt', 'tls.key']) await rm(dir.join(name));
      await wait(200);
      await writeCertificate(dir.path, made);
    },
  };

  test.each(Object.entries(ways))('%s are used once they match, without a word', async (_, write) => {
    await using dir = await scratch();
    await using watching = await watched(await writeCertificate(dir.path, makeCertificate({ name: 'old' })));
    for (const name of ['one', 'two']) {
      await write(dir, makeCertificate({ name }));
      await until(() => watching.store.current.description?.subject === `CN=${name}`);
    }
    expect(watching).toMatchObject({ used: ['CN=one', 'CN=two'], refused: [] });
  });

  test('by swaps of ..data, as the kubelet does for a Secret that cert-manager renews, are used at once', async () => {
    await using dir = await scratch();
    const files = (name: string) => {
      const { cert, key } = makeCertificate({ name });
      return { 'tls.crt': cert, 'tls.key': key, 'ca.crt': cert };
    };
    const volume = await makeVolume(dir.join('tls'), files('old'));
    const [certificateFile, keyFile, caFile] = ['tls.crt', 'tls.key', 'ca.crt'].map((name) => dir.join('tls', name));
    await using watching = await watched({ certificateFile, keyFile, caFile });
    const names = Array.from({ length: 10 }, (_, at) => `CN=${at}`);
    for (const name of names) {
      await volume.swap(files(name.slice(3)));
      await until(() => watching.used.at(-1) === name);
    }
    expect(watching).toMatchObject({ used: names, refused: [] });
  });

  test('to a state that stays wrong are said once for each kind of wrong, and the pair before stays', async () => {
    await using dir = await scratch();
    const files = await writeCertificate(dir.path, makeCertificate({ name: 'old' }));
    await using watching = await watched(files, 100);
    await writeFile(files.keyFile, makeCertificate().key);
    await until(() => watching.refused.length === 1);
    await rm(files.keyFile);
    await until(() => watching.refused.length === 2);
    // Long enough for several comparisons.
    await wait(500);
    expect(watching.refused).toEqual(['keyFile is not the key of the certificate', 'keyFile no such file']);
    expect(watching.store.problem).toMatchObject({ about: 'keyFile', message: 'no such file' });
    expect(watching.store.current.description?.subject).toBe('CN=old');
    await writeCertificate(dir.path, makeCertificate({ name: 'new' }));
    await until(() => watching.used.length === 1);
    expect(watching.used).toEqual(['CN=new']);
    expect(watching.store.problem).toBeUndefined();
    expect(watching.refused.length).toBe(2);
  });

  test('to what they were are no news', async () => {
    await using dir = await scratch();
    const made = makeCertificate({ name: 'old' });
    const files = await writeCertificate(dir.path, made);
    await using watching = await watched(files, 50);
    await writeFile(files.keyFile, 'wrong');
    await wait(200);
    await writeCertificate(dir.path, made);
    // Longer than a state has to stay wrong to be said.
    await wait(2500);
    expect(watching).toMatchObject({ used: [], refused: [] });
  });

  test('to a certificate that is not valid yet wait until it is, while the one in use is valid', async () => {
    await using dir = await scratch();
    await using watching = await watched(await writeCertificate(dir.path, makeCertificate({ name: 'old' })), 100);
    // Certificates count whole seconds.
    const early = makeCertificate({ name: 'early', notBefore: new Date(Date.now() + 4500) });
    await writeCertificate(dir.path, early);
    await until(() => watching.refused.length === 1);
    expect(watching.refused[0]).toMatch(/^certificateFile is not valid before /);
    expect(watching.used).toEqual([]);
    await until(() => watching.used.length === 1);
    expect(watching.used).toEqual(['CN=early']);
  });

  test('to an expired certificate are taken only when the one in use is no better', async () => {
    await using dir = await scratch();
    const expired = (name: string) => makeCertificate({ name, notBefore: inDays(-9), notAfter: inDays(-1) });
    await using watching = await watched(await writeCertificate(dir.path, expired('first')));
    await writeCertificate(dir.path, expired('second'));
    await until(() => watching.used.at(-1) === 'CN=second');
    await writeCertificate(dir.path, makeCertificate({ name: 'valid' }));
    await until(() => watching.used.at(-1) === 'CN=valid');
    await writeCertificate(dir.path, expired('third'));
    await until(() => watching.refused.length === 1);
    expect(watching.refused[0]).toMatch(/^certificateFile expired at /);
    expect(watching.store.current.description?.subject).toBe('CN=valid');
  });

  test('are followed through a chain of links and are let go at disposal', async () => {
    await using dir = await scratch();
    for (const name of ['one', 'two']) {
      await mkdir(dir.join(name));
      await writeCertificate(dir.join(name), makeCertificate({ name }));
    }
    await symlink('one', dir.join('live'));
    const watching = await watched({ certificateFile: dir.join('live/tls.crt'), keyFile: dir.join('live/tls.key') });
    await symlink('two', dir.join('fresh'));
    await rename(dir.join('fresh'), dir.join('live'));
    await until(() => watching.used.length === 1);
    await watching[Symbol.asyncDispose]();
    await until(() => !process.getActiveResourcesInfo().includes('FSEventWrap'));
    expect(watching.used).toEqual(['CN=two']);
  });
});

test('a TLS server that takes each change shows it to the next client, and keeps the connections it has', async () => {
  await using dir = await scratch();
  await using watching = await watched(await writeCertificate(dir.path, makeCertificate({ name: 'old' })));
  const server = createServer({ ...watching.store.current.material }, (socket) =>
    socket.on('error', () => undefined).pipe(socket),
  );
  watching.store.onChange(({ material }) => server.setSecureContext({ ...material }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const open = async () => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    return socket;
  };
  const before = await open();
  await writeCertificate(dir.path, makeCertificate({ name: 'new' }));
  await until(() => watching.used.length === 1);
  const after = await open();
  expect([before, after].map((socket) => socket.getPeerCertificate().subject.CN)).toEqual(['old', 'new']);
  before.write('still here');
  expect(String((await once(before, 'data'))[0])).toBe('still here');
  for (const socket of [before, after]) socket.destroy();
  server.close();
  await once(server, 'close');
});

test('no key material is in any problem', async () => {
  await using dir = await scratch();
  const made = makeCertificate();
  const body = made.key.split('\n')[1]!;
  for (const key of [made.key.slice(0, 100), made.key.replaceAll('A', 'B'), `${body}\n`]) {
    const files = await writeAll(dir, { ...made, key });
    const problem = (() => {
      try {
        return readTls(files) as Tls | TlsProblem;
      } catch (error) {
        return error as TlsProblem;
      }
    })();
    expect(problem).toBeInstanceOf(TlsProblem);
    expect(`${problem} ${(problem as Error).stack} ${(problem as Error).cause}`).not.toContain(body.slice(0, 20));
  }
});
