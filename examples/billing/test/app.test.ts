// The application alone: what the sidecars rely on.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Scratch, scratch, until } from '@outrigger/core/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';

let directory: Scratch;
let app: ChildProcess;
let url = '';

beforeEach(async () => {
  directory = await scratch();
  await writeFile(directory.join('billing.properties'), 'company = R&D <"quoted">\nlog.limit = 400\nlog.keep = 3\n');
  app = spawn(process.execPath, [fileURLToPath(new URL('../billing.cjs', import.meta.url))], {
    env: {
      BILLING_PORT: '0',
      BILLING_CONFIG: directory.join('billing.properties'),
      BILLING_LOG: directory.join('billing.log'),
      BILLING_CONTENT: directory.path,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(app.stdout!, 'data')) as [Buffer];
  url = `http://${/listening on (\S+)/.exec(String(said))?.[1]}`;
});

afterEach(async () => {
  app.kill('SIGKILL');
  await directory[Symbol.asyncDispose]();
});

const get = async (path: string) => (await fetch(`${url}${path}`)).text();

test('SIGHUP makes it read its settings again, and unreadable ones change nothing', async () => {
  await writeFile(directory.join('billing.properties'), 'currency = CHF\n');
  app.kill('SIGHUP');
  await until(async () => (await get('/invoices')).includes('"CHF"'), { what: 'the new currency' });
  await rm(directory.join('billing.properties'));
  app.kill('SIGHUP');
  await until(async () => (await readFile(directory.join('billing.log'), 'utf8')).includes('the old ones stay'));
  expect(await get('/invoices')).toContain('"CHF"');
});

test('the log is rotated by renaming, and so many old files are kept', async () => {
  for (let i = 1; i <= 40; i++) await get('/');
  // It answers first and logs then: all is written once it has ended.
  app.kill('SIGTERM');
  await once(app, 'exit');
  const names = (await readdir(directory.path)).filter((name) => name.startsWith('billing.log')).toSorted();
  expect(names).toEqual(['billing.log', 'billing.log.1', 'billing.log.2', 'billing.log.3']);
  const texts = await Promise.all(names.toReversed().map((name) => readFile(directory.join(name), 'utf8')));
  const numbers = texts
    .join('')
    .match(/(?<=request )\d+/g)!
    .map(Number);
  expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => 41 - numbers.length + index));
});

test('the status page counts requests, errors and what waits in the outbox', async () => {
  await get('/invoices');
  expect((await fetch(`${url}/prices`)).status).toBe(500);
  expect((await fetch(`${url}/<&">`)).status).toBe(404);
  const page = await get('/status.xml');
  expect(page).toMatch(/<request path="\/invoices" count="1" errors="0" millis="\d+"\/>/);
  expect(page).toMatch(/<request path="\/prices" count="1" errors="1" millis="\d+"\/>/);
  expect(page).toMatch(/<request path="other" count="1" errors="1" millis="\d+"\/>/);
  expect(page).toMatch(/<queue name="outbox" depth="[01]" capacity="100"\/>/);
});

test('SIGTERM ends it, with a connection kept alive too', async () => {
  await get('/');
  app.kill('SIGTERM');
  expect(await once(app, 'exit')).toEqual([0, null]);
});
