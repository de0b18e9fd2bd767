import { writeFile } from 'node:fs/promises';
import { type Scratch, scratch } from '@outrigger/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { always, ask, ok, RawApplication } from './raw.ts';
import { type RunningProxy, startProxy } from './start-proxy.ts';

let application: RawApplication;
let proxy: RunningProxy;
beforeAll(async () => {
  application = await RawApplication.open();
  proxy = await startProxy({ upstream: application.url, flags: ['--strictness', 'observe'] });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await application[Symbol.asyncDispose]();
});

const close = 'Host: a\r\nConnection: close\r\n';
const forwarded = 'X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n';

describe('what is suspect but has one meaning is let through, and counted', () => {
  test.each([
    {
      reason: 'content_length',
      request: `POST / HTTP/1.1\r\n${close}Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi`,
      gets: `POST / HTTP/1.1\r\nHost: a\r\n${forwarded}Content-Length: 2\r\n\r\nhi`,
    },
    {
      reason: 'target',
      request: `GET /m\xfcnchen HTTP/1.1\r\n${close}\r\n`,
      gets: `GET /m\xfcnchen HTTP/1.1\r\nHost: a\r\n${forwarded}\r\n`,
    },
    {
      reason: 'target_host',
      request: `GET http://b/x HTTP/1.1\r\n${close}\r\n`,
      gets: `GET /x HTTP/1.1\r\nHost: a\r\n${forwarded}\r\n`,
    },
    {
      reason: 'expectation',
      request: `GET / HTTP/1.1\r\n${close}Expect: the-best\r\n\r\n`,
      gets: `GET / HTTP/1.1\r\nHost: a\r\n${forwarded}\r\n`,
    },
    {
      reason: 'unexpected_body',
      request: `DELETE / HTTP/1.0\r\n${close}Content-Length: 2\r\n\r\nhi`,
      gets: `DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n${forwarded}\r\nhi`,
    },
  ])('$reason', async ({ reason, request, gets }) => {
    application.become((connection) => connection.text.length >= gets.length && connection.send(ok));
    await proxy.settled();
    const observed = await proxy.growth(`observed_total{reason="${reason}"}`, async () => {
      expect(await ask(proxy.port, request)).toMatch(/^HTTP\/1\.1 200 /);
    });
    expect(observed).toBe(1);
    expect(application.connections[0]!.text).toBe(gets);
  });
});

test.each([
  [
    'both lengths',
    'ambiguous_length',
    `POST / HTTP/1.1\r\n${close}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n`,
  ],
  [
    'two different lengths',
    'content_length',
    `POST / HTTP/1.1\r\n${close}Content-Length: 2\r\nContent-Length: 3\r\n\r\n`,
  ],
  ['LF alone', 'bare_line_feed', 'GET / HTTP/1.1\nHost: a\n\n'],
  ['a fragment', 'target', `GET /#admin HTTP/1.1\r\n${close}\r\n`],
  ['two hosts', 'host', `GET / HTTP/1.1\r\n${close}Host: b\r\n\r\n`],
])('%s stays refused', async (_, reason, request) => {
  application.become(always(ok));
  expect(await ask(proxy.port, request)).toContain(`"reason":"${reason}"`);
  expect(application.connections).toHaveLength(0);
});

describe('no octet above ASCII passes a rule that denies', () => {
  let directory: Scratch;
  let ruled: RunningProxy;
  beforeAll(async () => {
    directory = await scratch();
    await writeFile(directory.join('rules.yaml'), 'rules: [{ path: /admin, deny: 403 }]');
    const flags = ['--strictness', 'observe', '--routes-file', directory.join('rules.yaml')];
    ruled = await startProxy({ upstream: application.url, flags });
  });
  afterAll(async () => {
    await ruled[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  test.each(['/x/\xc0\xae\xc0\xae/admin', '/\xc0\xafadmin', '/admin/\xfc'])('%j', async (path) => {
    application.become(always(ok));
    expect(await ask(ruled.port, `GET ${path} HTTP/1.1\r\n${close}\r\n`)).toMatch(/^HTTP\/1\.1 4/);
    expect(application.connections).toHaveLength(0);
  });
});
