// What would be accepted in silence and never do what it is there for.

import { writeFile } from 'node:fs/promises';
import { scratch } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { workplace } from './shipper.ts';

/** How it ends, and what it says of each parameter. */
async function refused(args: readonly string[]) {
  await using place = await workplace();
  await using shipper = await place.ship(args, { wait: false });
  const { code } = await shipper.exited;
  const lines = shipper.stderr.split('\n').filter((line) => line.startsWith('  --'));
  return {
    code,
    said: lines.map((line) => line.trim().replace(/ {2,}(.*\(--[\w-]+\): )?/, ' ')),
  };
}

test('half of a credential, two of them, and a filter without a condition are named, all at once', async () => {
  await using directory = await scratch();
  const file = directory.join('secret');
  await writeFile(file, 'hush\n', { mode: 0o600 });
  const loki = ['--sink', 'loki', '--sink-loki-url', 'http://127.0.0.1:1', '--sink-loki-password-file', file];
  const http = ['--sink', 'http', '--sink-http-url', 'http://127.0.0.1:1', '--sink-http-token-file', file];
  const elastic = ['--sink', 'elasticsearch', '--sink-elasticsearch-url', 'http://127.0.0.1:1'];
  const openSearch = ['--sink', 'opensearch', '--sink-opensearch-url', 'http://127.0.0.1:1'];
  const forward = ['--sink', 'forward', '--sink-forward-address', '127.0.0.1:1', '--sink-forward-username', 'me'];
  const args = [
    ...[...loki, ...http, '--sink-http-user', 'me', ...elastic, '--sink-elasticsearch-user', 'me'],
    ...[...openSearch, '--sink-opensearch-api-key-file', file, '--sink-opensearch-token-file', file],
    ...[...forward, '--sink-forward-shared-key-file', file, '--transform', 'filter'],
  ];
  expect(await refused(args)).toEqual({
    code: 64,
    said: [
      '--transform-filter-keep is needed, or a condition of what to drop',
      '--sink-loki-user is needed with a password',
      '--sink-http-user only one of a user, a token and an API key is expected',
      '--sink-elasticsearch-password-file is needed with a user',
      '--sink-opensearch-token-file only one of a user, a token and an API key is expected',
      '--sink-forward-password-file is needed with a user',
    ],
  });
});

test('a user without a password is a credential over HTTP, where a key may be the user', async () => {
  await using place = await workplace();
  await using shipper = await place.ship([
    ...['--sink', 'http', '--sink-http-url', 'http://127.0.0.1:1', '--sink-http-user', 'key'],
  ]);
  expect((await shipper.get('/livez')).status).toBe(200);
});

test('a part of a syslog header that does not fit into one is named', async () => {
  const syslog = ['--sink', 'syslog', '--sink-syslog-address', '127.0.0.1:1'];
  const long = 'x'.repeat(49);
  const names = ['--sink-syslog-app-name', long, '--sink-syslog-proc-id', 'a b', '--sink-syslog-sd-id', 'a=b'];
  expect(await refused([...syslog, ...names])).toEqual({
    code: 64,
    said: [
      '--sink-syslog-app-name a word of at most 48 ASCII characters is expected',
      '--sink-syslog-proc-id a word of at most 128 ASCII characters is expected',
      '--sink-syslog-sd-id a word of at most 32 ASCII characters without =, ] and " is expected',
    ],
  });
  const tag = [...syslog, '--sink-syslog-format', 'rfc3164', '--sink-syslog-app-name', long.slice(9)];
  expect(await refused(tag)).toEqual({
    code: 64,
    said: ['--sink-syslog-app-name at most 32 characters are expected with rfc3164'],
  });
});
