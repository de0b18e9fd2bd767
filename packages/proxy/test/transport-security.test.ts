import { writeFile } from 'node:fs/promises';
import { freePort, scratch, until } from '@outrigger/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HeaderEdits } from '../src/routes/header-edits.ts';
import { TransportSecurity } from '../src/transport-security.ts';
import { dialTls } from './bad-inputs/ways.ts';
import { H2Client } from './http2/start.ts';
import { always, ask, getAndClose, RawApplication } from './raw.ts';
import { type RunningProxy, startProxy } from './start-proxy.ts';

const theirs = 'HTTP/1.1 200 OK\r\nstrict_transport.security: 0\r\nStrict-Transport-Security: max-age=0\r\n';
const response = `${theirs}Content-Length: 2\r\n\r\nok`;
const linesIn = (text: string) => text.match(/^strict.transport.security:.*$/gim)?.map((line) => line.trimEnd()) ?? [];
const year = 'Strict-Transport-Security: max-age=31536000';

describe('for a year', () => {
  let application: RawApplication;
  let proxy: RunningProxy;
  beforeAll(async () => {
    application = await RawApplication.open(always(response));
    await using directory = await scratch();
    const file = directory.join('routes.yaml');
    await writeFile(
      file,
      `rules:
  - { path: /denied, deny: 403 }
  - { path: /moved, redirect: { to: /there } }
  - { path: /own, response: { set: { Strict-Transport-Security: max-age=1 } } }
  - { path: /edited, response: { set: { X-More: b } } }
`,
    );
    const flags = ['--hsts', '365d', '--routes-file', file];
    proxy = await startProxy({ upstream: application.url, tls: true, flags });
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await application[Symbol.asyncDispose]();
  });

  async function overTls(path: string): Promise<string> {
    using client = await dialTls(proxy);
    return await client.send(getAndClose.replace('/', path)).untilEnd();
  }

  test.each(['/', '/edited'])('%s has one such line, ours in place of what the application says', async (path) => {
    const answer = await overTls(path);
    expect(answer).toMatch(/\r\n\r\nok$/);
    expect(linesIn(answer)).toEqual([year]);
    if (path === '/edited') expect(answer).toContain('\r\nX-More: b\r\n');
  });

  test('a rule of its own knows better, and there is one such line', async () => {
    expect(linesIn(await overTls('/own'))).toEqual(['Strict-Transport-Security: max-age=1']);
  });

  test.each([
    ['/denied', 403],
    ['/moved', 307],
  ])('%s, which the proxy answers itself, has it', async (path, status) => {
    const answer = await overTls(path);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(linesIn(answer)).toEqual([year]);
  });

  test('HTTP/2 has the same', async () => {
    using client = await H2Client.open(proxy.port);
    for (const path of ['/', '/edited', '/denied', '/moved'])
      expect((await client.get(path)).headers['strict-transport-security'], path).toBe('max-age=31536000');
  });

  test('so has an answer for an application that fails', async () => {
    application.become((connection) => connection.socket.end());
    const answer = await overTls('/');
    application.become(always(response));
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect(linesIn(answer)).toEqual([year]);
  });
});

test('over plain HTTP it is not said: browsers must not believe it there', async () => {
  await using application = await RawApplication.open(always('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  const port = await freePort();
  const flags = ['--hsts', '365d', '--redirect-listen-address', `127.0.0.1:${port}`];
  await using _proxy = await startProxy({ upstream: application.url, tls: true, flags });
  const answer = await ask(port, getAndClose);
  expect(answer).toMatch(/^HTTP\/1\.1 308 /);
  expect(linesIn(answer)).toEqual([]);
});

test('without it the application has its say, and a change of it counts from the next response on', async () => {
  await using application = await RawApplication.open(always(response));
  await using directory = await scratch();
  const file = directory.join('proxy.yaml');
  await writeFile(file, '{}\n');
  await using proxy = await startProxy({ upstream: application.url, tls: true, flags: ['--config', file] });
  using client = await H2Client.open(proxy.port);
  const said = async () => (await client.get('/')).headers['strict-transport-security'];
  expect(await said()).toBe('max-age=0');
  await writeFile(file, 'hsts: 1d\n');
  await until(async () => (await said()) === 'max-age=86400');
});

test('edits of a rule are joined once, and anew when the age changes', () => {
  let age: number | undefined = 1000;
  const security = new TransportSecurity(() => age);
  const edits = new HeaderEdits({ set: { A: 'b' } });
  const joined = security.with(edits);
  expect(joined?.lines.toString()).toBe('A: b\r\nStrict-Transport-Security: max-age=1\r\n');
  expect(security.with(edits)).toBe(joined);
  age = 2000;
  expect(security.with(edits)?.lines.toString()).toBe('A: b\r\nStrict-Transport-Security: max-age=2\r\n');
  expect(security.with(undefined)?.lines.toString()).toBe('Strict-Transport-Security: max-age=2\r\n');
  age = undefined;
  expect(security.with(edits)).toBe(edits);
  expect(security.with(undefined)).toBeUndefined();
});
