import { writeFile } from 'node:fs/promises';
import { resolveParameters } from '@outrigger/core';
import { makeCertificate, type Scratch, scratch, startSidecar, until, writeCertificate } from '@outrigger/core/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { check } from '../src/check.ts';
import { parameters } from '../src/parameters.ts';

type Checked = Parameters<typeof check>[0];
type Values = Checked['parameters'];

/** What is said of parameters that are as they are by default but for some. */
function problemsOf(given: Partial<Record<keyof Values, unknown>>): Record<string, string> {
  const problems: Record<string, string> = {};
  const values = {
    ...{
      mode: 'http',
      upstream: new URL('http://127.0.0.1:8080'),
      allowPlainUpstream: false,
      sendProxyProtocol: 'off',
    },
    ...{ tlsCertificateFile: [], tlsKeyFile: [], trustedProxies: [], tlsMinimumVersion: '1.2' },
    ...{ clientAllowDns: [], clientAllowUri: [], clientAllowCn: [], clientAllowSpki: [] },
    ...given,
  } as unknown as Values;
  check({
    parameters: values,
    problem: (parameter, message) => {
      problems[parameter] = message;
    },
    warning: () => undefined,
  });
  return problems;
}

const upstream = (url: string, more: Partial<Record<keyof Values, unknown>> = {}) =>
  problemsOf({ upstream: new URL(url), ...more });

test('by default nothing is wrong', () => {
  expect(problemsOf({})).toEqual({});
});

test.each([
  'http://127.0.0.1:1',
  'http://127.8.9.10:1',
  'http://[::1]:1',
  'http://localhost:1',
  'http://LOCALHOST:1',
  'h2c://127.0.0.1:1',
  'unix:/run/app.sock',
  'http://2130706433:1',
])('%s is on this machine', (url) => {
  expect(upstream(url)).toEqual({});
});

test.each([
  'http://10.0.0.1:1',
  'http://app.example:1',
  'http://localhost.evil.example:1',
  'http://127.0.0.1.evil.example:1',
  'http://0.0.0.0:1',
  'http://[::]:1',
  'http://[2001:db8::1]:1',
  'h2c://app:1',
  'http://128.0.0.1:1',
])('%s is not, and what goes there can be read', (url) => {
  expect(upstream(url)).toEqual({ upstream: expect.stringMatching(/--allow-plain-upstream allows it$/) });
  expect(upstream(url, { allowPlainUpstream: true })).toEqual({});
});

test.each([
  ['http://127.0.0.1:1/path', 'scheme, host and port alone'],
  ['http://127.0.0.1:1?q', 'scheme, host and port alone'],
  ['http://me@127.0.0.1:1', 'scheme, host and port alone'],
  ['http://me:secret@127.0.0.1:1', 'scheme, host and port alone'],
  ['unix:run/app.sock', 'absolute path'],
  ['tcp://127.0.0.1', 'port'],
])('%s is no address of an application', (url, said) => {
  const mode = url.startsWith('tcp') ? 'tcp' : 'http';
  const problems = upstream(url, { mode });
  expect(Object.keys(problems)).toEqual(['upstream']);
  expect(problems.upstream).toContain(said);
  expect(problems.upstream).not.toContain('secret');
});

test.each([
  ['http', 'tcp://127.0.0.1:1', 'needs --mode tcp'],
  ['tcp', 'http://127.0.0.1:1', 'tcp://host:port or unix:/path'],
  ['tcp', 'h2c://127.0.0.1:1', 'tcp://host:port or unix:/path'],
])('with --mode %s the application is not at %s', (mode, url, said) => {
  expect(upstream(url, { mode }).upstream).toContain(said);
});

test.each(['tcp://127.0.0.1:1', 'unix:/run/app.sock'])('with --mode tcp it may be at %s', (url) => {
  expect(upstream(url, { mode: 'tcp', sendProxyProtocol: 'v2' })).toEqual({});
});

const certificate = { tlsCertificateFile: ['a.crt'], tlsKeyFile: ['a.key'] };
const tcp = { mode: 'tcp', upstream: new URL('tcp://127.0.0.1:1') };

test.each<[string, Partial<Record<keyof Values, unknown>>, keyof Values]>([
  ['a PROXY header to an application of HTTP', { sendProxyProtocol: 'v1' }, 'sendProxyProtocol'],
  ['a redirect to https where there is none', { redirectListenAddress: {} }, 'redirectListenAddress'],
  ['a redirect without HTTP', { ...tcp, ...certificate, redirectListenAddress: {} }, 'redirectListenAddress'],
  ['HSTS where there is no https', { hsts: 1000 }, 'hsts'],
  ['HSTS of 0 where there is no https', { hsts: 0 }, 'hsts'],
  ['HSTS without HTTP', { ...tcp, ...certificate, hsts: 1000 }, 'hsts'],
  ['rules for octets', { ...tcp, routes: { rules: [] } }, 'routes'],
  ['a trusted proxy that is none', { trustedProxies: ['10.0.0.0/8', 'proxy'] }, 'trustedProxies'],
])('%s is said', (_, given, parameter) => {
  expect(Object.keys(problemsOf(given))).toContain(parameter);
});

let directory: Scratch;
beforeAll(async () => {
  directory = await scratch();
});
afterAll(() => directory[Symbol.asyncDispose]());

type Ended = { readonly code: number | null; readonly printed: string; readonly said: string };

async function checked(...flags: string[]): Promise<Ended> {
  await using sidecar = await startSidecar(import.meta.resolve('../src/main.ts'), ['--check', ...flags], {
    wait: false,
  });
  const { code } = await sidecar.exited;
  return { code, printed: sidecar.stdout, said: sidecar.stderr };
}

const ofRequests = [
  ...['--access-log', 'on', '--trusted-proxies', '10.0.0.0/8', '--forwarded', 'both', '--traceparent', 'make'],
  ...['--strictness', 'observe', '--body-limit', '1MiB', '--upgrades', 'foo', '--idle-timeout', '75000ms'],
];
const unused =
  '--body-limit, --upgrades, --forwarded, --traceparent, --access-log, --strictness, --trusted-proxies: no effect with --mode tcp, which knows nothing of requests';

const octets = ['--mode', 'tcp', '--upstream', 'tcp://127.0.0.1:1'];

test.each([
  ['octets of any protocol', octets],
  ['octets behind proxies that say who is there', [...octets, '--accept-proxy-protocol', '--trusted-proxies', '::1']],
  ['requests', ofRequests],
])('nothing is warned of for %s', (_, argv) => {
  const said: string[] = [];
  const say = (what: string | readonly string[], message: string) => said.push(`${what} ${message}`);
  const { values, problems } = resolveParameters(parameters, { argv, env: {} });
  check({ parameters: values as Values, problem: say, warning: say });
  expect({ problems, said }).toEqual({ problems: [], said: [] });
});

test('what only requests have is warned of with --mode tcp, in one line, when it is not as by default', async () => {
  const { code, printed } = await checked(...octets, ...ofRequests);
  expect(printed.match(/^warning: .*/gm)).toEqual([`warning: ${unused}`]);
  expect(code).toBe(0);
  await using sidecar = await startSidecar(import.meta.resolve('../src/main.ts'), [
    ...['--listen-address', '127.0.0.1:0', ...octets, ...ofRequests],
  ]);
  expect(sidecar.logs().filter(({ level }) => level === 'warn')).toMatchObject([{ message: unused }]);
});

test('all of it is said at once, by --check too, and with where it came from', async () => {
  const file = directory.join('routes.yaml');
  await writeFile(file, 'rules:\n  - { name: far, path: /x, upstream: http://10.0.0.1:1 }\n');
  const { code, said } = await checked(
    ...['--upstream', 'http://app.example:1', '--send-proxy-protocol', 'v1', '--trusted-proxies', '10.0.0.0/33'],
    ...['--redirect-listen-address', '127.0.0.1:1', '--hsts', '1d', '--routes-file', file],
  );
  expect(code).toBe(64);
  for (const [parameter, message] of [
    ['--upstream', 'is on another host'],
    ['--routes(?:-file)?', '"http://10.0.0.1:1/": is on another host'],
    ['--send-proxy-protocol', 'is for --mode tcp'],
    ['--trusted-proxies', '"10.0.0.0/33": an address such as'],
    ['--redirect-listen-address', 'needs --tls-certificate-file'],
    ['--hsts', 'needs --tls-certificate-file'],
  ] as const)
    expect(said).toMatch(new RegExp(`${parameter} .*${RegExp.escape(message)}`));
});

test('what goes together passes', async () => {
  const { certificateFile, keyFile } = await writeCertificate(directory.path);
  const tls = ['--tls-certificate-file', certificateFile, '--tls-key-file', keyFile];
  const more = ['--hsts', '1d', '--redirect-listen-address', '127.0.0.1:0', '--trusted-proxies', '10.0.0.0/8'];
  const { code, said } = await checked(...tls, ...more, '--upstream', `unix:${directory.join('app.sock')}`);
  expect({ code, said }).toEqual({ code: 0, said: expect.not.stringContaining('wrong') });
});

test('a certificate that has expired is said with its date, and served all the same', async () => {
  const expired = makeCertificate({ notAfter: new Date('2026-02-03T04:05:06Z') });
  const { certificateFile, keyFile } = await writeCertificate(directory.path, expired);
  const { code, printed } = await checked('--tls-certificate-file', certificateFile, '--tls-key-file', keyFile);
  expect(printed).toContain(
    `warning: --tls-certificate-file: "${certificateFile}" expired at 2026-02-03T04:05:06.000Z; clients are shown it all the same`,
  );
  expect(code).toBe(0);
});

test('a changed file of rules whose application is elsewhere is not taken into use', async () => {
  const file = directory.join('later.yaml');
  await writeFile(file, 'rules: []\n');
  await using sidecar = await startSidecar(import.meta.resolve('../src/main.ts'), [
    ...['--listen-address', '127.0.0.1:0', '--upstream', 'http://127.0.0.1:1', '--routes-file', file],
  ]);
  await writeFile(file, 'rules:\n  - { name: far, path: /x, upstream: http://10.0.0.1:1 }\n');
  await until(() => sidecar.stderr.includes('is on another host'));
  expect(await (await sidecar.get('/v1/routes')).json()).toEqual([]);
});
