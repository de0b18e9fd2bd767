import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { scratch, startSidecar, until } from '../src/testing/index.ts';

// Beside the tests, where '@outrigger/core' resolves as it does for a user.
const file = join(import.meta.dirname, `.readme-${process.pid}.ts`);

afterEach(() => rm(file, { force: true }));

test("the README's sidecar runs as it stands", async () => {
  const readme = await readFile(join(import.meta.dirname, '../README.md'), 'utf8');
  const source = /```ts\n(\/\/ rates\.ts[\s\S]*?)```/.exec(readme)![1]!;
  await writeFile(file, source.replaceAll("'@outrigger/core'", "'../src/index.ts'"));
  await using directory = await scratch();
  const publisher = createServer((_, response) => response.end('{"EUR":1.1}')).listen(0, '127.0.0.1');
  await once(publisher, 'listening');
  const from = `http://127.0.0.1:${(publisher.address() as AddressInfo).port}/rates.json`;
  await using sidecar = await startSidecar(
    pathToFileURL(file).href,
    ['--from', from, '--to', directory.join('rates')],
    { ready: true },
  );
  expect(await readFile(directory.join('rates'), 'utf8')).toBe('{"EUR":1.1}');
  expect(await (await sidecar.get('/metrics')).text()).toMatch(/outrigger_rates_fetched_timestamp_seconds \d+/);
  publisher.close();
  sidecar.kill('SIGTERM');
  expect(await sidecar.exited).toEqual({ code: 0, signal: null });
});

test("the root README's twenty lines run as they stand", async () => {
  const readme = await readFile(join(import.meta.dirname, '../../../README.md'), 'utf8');
  const source = /```ts\n(\/\/ hello\.ts[\s\S]*?)```/.exec(readme)![1]!;
  await writeFile(file, source.replaceAll("'@outrigger/core'", "'../src/index.ts'"));
  await using sidecar = await startSidecar(pathToFileURL(file).href, ['--name', 'Ann'], { ready: true });
  await until(() => sidecar.logs().some(({ message }) => message === 'Hello, Ann'), { what: 'the greeting' });
  sidecar.kill('SIGTERM');
  expect(await sidecar.exited).toEqual({ code: 0, signal: null });
});
