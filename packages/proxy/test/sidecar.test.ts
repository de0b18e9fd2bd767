import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { makeCertificate, scratch, startSidecar, writeCertificate } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import { ask, getAndClose } from './raw.ts';
import { startProxy } from './start-proxy.ts';

/** What a start that fails says, and its exit code. */
async function refused(flags: readonly string[]): Promise<{ code: number | null; said: string }> {
  const main = import.meta.resolve('../src/main.ts');
  await using sidecar = await startSidecar(main, flags, { wait: false });
  const { code } = await sidecar.exited;
  return { code, said: sidecar.stderr };
}

describe('wrong parameters', () => {
  test('are all named at once, with what is wrong about each', async () => {
    await using directory = await scratch();
    const { certificateFile } = await writeCertificate(directory.path);
    await writeFile(directory.join('other.key'), makeCertificate().key);
    const wrong = ['--tls-certificate-file', certificateFile, '--tls-key-file', directory.join('other.key')];
    const { code, said } = await refused([...wrong, '--upstream', 'http://127.0.0.1:8080/path']);
    expect(code).toBe(64);
    expect(said).toContain('2 parameters are wrong');
    expect(said).toMatch(/--tls-key-file +\S+other\.key \(--tls-key-file\): is not the key of the certificate/);
    expect(said).toMatch(/--upstream +http:\S+ \(--upstream\): a URL of scheme, host and port alone is expected/);
    expect(said).not.toMatch(/^ +at /m);
  });

  test.each([
    ['--tls-certificate-file', '--tls-key-file', 'a key'],
    ['--tls-key-file', '--tls-certificate-file', 'a certificate'],
  ])('%s without %s', async (given, missing, what) => {
    await using directory = await scratch();
    const { certificateFile, keyFile } = await writeCertificate(directory.path);
    const { code, said } = await refused([given, given.includes('key') ? keyFile : certificateFile]);
    expect(code).toBe(64);
    expect(said).toMatch(new RegExp(`${missing} +\\(default\\): ${what} is needed for `));
  });

  test('a certificate file that is missing, or holds something else', async () => {
    await using directory = await scratch();
    const { keyFile } = await writeCertificate(directory.path);
    await writeFile(directory.join('text'), 'hello');
    const missing = await refused(['--tls-certificate-file', directory.join('none'), '--tls-key-file', keyFile]);
    expect(missing.code).toBe(64);
    expect(missing.said).toMatch(/--tls-certificate-file +\S+none \(--tls-certificate-file\): .*no such file/);
    const text = await refused(['--tls-certificate-file', directory.join('text'), '--tls-key-file', keyFile]);
    expect(text.code).toBe(64);
    expect(text.said).toMatch(/--tls-certificate-file +\S+text \(--tls-certificate-file\): holds no PEM certificate/);
  });

  test.skipIf(process.getuid?.() === 0)('a key that may not be read', async () => {
    await using directory = await scratch();
    const { certificateFile, keyFile } = await writeCertificate(directory.path);
    await chmod(keyFile, 0);
    const { code, said } = await refused(['--tls-certificate-file', certificateFile, '--tls-key-file', keyFile]);
    expect(code).toBe(64);
    expect(said).toMatch(/--tls-key-file +\S+tls\.key \(--tls-key-file\): no permission to read it/);
  });
});

test('a port in use is one line that names the parameter, with exit code 1', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { code, said } = await refused(['--listen-address', address]);
  server.close();
  expect(code).toBe(1);
  expect(said).toContain(`--listen-address  ${address} (--listen-address): the address is already in use`);
  expect(said).not.toMatch(/^ +at /m);
});

test('what will be counted by a reason, a code or a result begins at 0, in few series', async () => {
  await using proxy = await startProxy({ upstream: 'http://127.0.0.1:1' });
  const series = async () => {
    const text = await (await proxy.sidecar.get('/metrics')).text();
    const counters = /^outrigger_proxy_(\w+)_total\{\w+="(\w+)"\} (\d+)$/gm;
    return Array.from(text.matchAll(counters), ([, name, label, value]) => ({ name, label, value }));
  };
  const before = await series();
  expect(before.filter(({ value }) => value !== '0')).toEqual([]);
  for (const [name, labels] of [
    ['requests', ['1xx', '2xx', '3xx', '4xx', '5xx']],
    ['refusals', ['host', 'denied', 'path', 'http2', 'memory', 'proxy_header_sender', 'certificate_missing']],
    ['upstream_errors', ['connect', 'closed', 'keepalive_race', 'invalid', 'timeout', 'reset', 'unasked']],
    ['certificate_reloads', ['refused', 'used']],
  ] as const)
    for (const label of labels) expect(before).toContainEqual({ name, label, value: '0' });
  expect(before.length).toBeLessThanOrEqual(60);
  // Whatever is counted was among them.
  await ask(proxy.port, getAndClose);
  await ask(proxy.port, 'GET / HTTP/1.1\r\n\r\n');
  expect(await series()).toHaveLength(before.length);
});
