// Every block of TypeScript in the READMEs that begins with a file name, run as it stands.

import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scratch, startPeer, startSidecar, until } from '../src/testing/index.ts';

// Beside the tests, where dependencies resolve as they do for a user.
const directory = join(import.meta.dirname, `.readme-${process.pid}`);
const fileOf = (name: string) => join(directory, name);
const urlOf = (name: string) => pathToFileURL(fileOf(name)).href;

const doors: Readonly<Record<string, string>> = JSON.parse(
  await readFile(join(import.meta.dirname, '../package.json'), 'utf8'),
).exports;

/** The package by its own name, as whoever installs it has it. */
const resolved = (source: string) =>
  source.replaceAll(/'@outrigger\/core(\/[\w-]+)?'/g, (_, door = '') => `'../../${doors[`.${door}`]!.slice(2)}'`);

const blocks = async (...path: string[]) =>
  [
    ...(await readFile(join(import.meta.dirname, ...path), 'utf8')).matchAll(/```ts\n(\/\/ ([\w.-]+\.ts)[\s\S]*?)```/g),
  ].map(([, source, name]) => ({ name: name!, source: source! }));

const own = await blocks('../README.md');
const ofRoot = await blocks('../../../README.md');

beforeAll(async () => {
  await mkdir(directory);
  for (const { name, source } of [...own, ...ofRoot]) await writeFile(fileOf(name), resolved(source));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test('each block has a test', () => {
  expect([...own, ...ofRoot].map(({ name }) => name)).toEqual([
    'rates.ts',
    'stock.ts',
    'ask.ts',
    'follow.ts',
    'rates.test.ts',
    'hello.ts',
  ]);
});

test('rates.ts keeps the file fresh, is ready once it is there, and ends on SIGTERM', async () => {
  await using place = await scratch();
  const publisher = createServer((_, response) => response.end('{"EUR":1.1}')).listen(0, '127.0.0.1');
  await once(publisher, 'listening');
  const from = `http://127.0.0.1:${(publisher.address() as AddressInfo).port}/rates.json`;
  await using sidecar = await startSidecar(urlOf('rates.ts'), ['--from', from, '--to', place.join('rates')], {
    ready: true,
  });
  expect(await readFile(place.join('rates'), 'utf8')).toBe('{"EUR":1.1}');
  expect(await (await sidecar.get('/metrics')).text()).toMatch(/outrigger_rates_fetched_timestamp_seconds \d+/);
  publisher.close();
  sidecar.kill('SIGTERM');
  expect(await sidecar.exited).toEqual({ code: 0, signal: null });
});

test('stock.ts reads its items and says where they are wrong; ask.ts asks it', async () => {
  await using place = await scratch();
  await writeFile(place.join('items.yaml'), 'apples:\n  count: 3\n');
  {
    await using sidecar = await startSidecar(urlOf('stock.ts'), ['--items-file', place.join('items.yaml')], {
      ready: true,
    });
    await using asking = await startPeer(process.execPath, [fileOf('ask.ts'), sidecar.url]);
    expect(await asking.exited).toEqual({ code: 0, signal: null });
    expect(JSON.parse(asking.stdout)).toMatchObject({ count: 6, ok: true, refusal: 'STOCK_UNKNOWN' });
  }
  await writeFile(place.join('items.yaml'), 'apples:\n  count: 3\n  shelv: a\n');
  await using refused = await startSidecar(urlOf('stock.ts'), ['--items-file', place.join('items.yaml')], {
    wait: false,
  });
  expect((await refused.exited).code).toBe(64);
  expect(refused.stderr).toContain('items.yaml:3:3');
  expect(refused.stderr).toContain('did you mean shelf?');
});

test('follow.ts prints each content and ends on SIGTERM', async () => {
  await using place = await scratch();
  await writeFile(place.join('a'), 'one\n');
  await using following = await startPeer(process.execPath, [fileOf('follow.ts'), place.join('a')], { ready: /one/ });
  await writeFile(place.join('a'), 'two\n');
  await until(() => following.stdout.includes('two'));
  following.kill('SIGTERM');
  expect(await following.exited).toEqual({ code: 0, signal: null });
  expect(following.stdout).toBe('one\ntwo\n');
});

test('rates.test.ts is a suite that passes', async () => {
  await using place = await scratch();
  const vitest = join(import.meta.dirname, '../node_modules/vitest/vitest.mjs');
  const report = ['--reporter', 'json', '--outputFile', place.join('report.json')];
  const wanted = ['--testTimeout', '60000', '--testNamePattern', 'SIGTERM stops it with exit code 0'];
  await using suite = await startPeer(process.execPath, [vitest, 'run', '--root', directory, ...report, ...wanted]);
  expect(await suite.exited).toEqual({ code: 0, signal: null });
  const { numPassedTests, numFailedTests } = JSON.parse(await readFile(place.join('report.json'), 'utf8'));
  expect({ numPassedTests, numFailedTests }).toEqual({ numPassedTests: 1, numFailedTests: 0 });
});

test('hello.ts of the root README runs', async () => {
  await using sidecar = await startSidecar(urlOf('hello.ts'), ['--name', 'Ann'], { ready: true });
  await until(() => sidecar.logs().some(({ message }) => message === 'Hello, Ann'), { what: 'the greeting' });
  sidecar.kill('SIGTERM');
  expect(await sidecar.exited).toEqual({ code: 0, signal: null });
});
