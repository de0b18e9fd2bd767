import { readFile, writeFile } from 'node:fs/promises';
import { openEndpoint, type RunningSidecar, scratch, startSidecar, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';

const main = import.meta.resolve('../src/main.ts');

/** A publisher that answers what the test wants. */
async function publish() {
  const answer = { status: 200, body: '{"EUR":1}', silent: false };
  const endpoint = await openEndpoint({
    answer(response) {
      if (!answer.silent) response.writeHead(answer.status).end(answer.body);
    },
  });
  return Object.assign(answer, endpoint);
}

const text = async (sidecar: RunningSidecar, path: string) => (await sidecar.get(path)).text();

test('the rates appear in the file and stay fresh', async () => {
  await using directory = await scratch();
  await using publisher = await publish();
  const file = directory.join('rates.json');
  const args = ['--from', publisher.url, '--to', file, '--period', '20ms'];
  await using sidecar = await startSidecar(main, args, { ready: true });
  expect(await readFile(file, 'utf8')).toBe('{"EUR":1}');
  publisher.body = '{"EUR":2}';
  await until(async () => (await readFile(file, 'utf8')) === '{"EUR":2}', { what: 'the new rates' });
  expect(await text(sidecar, '/metrics')).toMatch(/outrigger_rates_last_success_timestamp_seconds [1-9]/);
  sidecar.kill('SIGTERM');
  expect(await sidecar.exited).toEqual({ code: 0, signal: null });
});

test('a publisher that fails is seen at /readyz, in the metrics and in the log; it is not ready before the first rates', async () => {
  await using directory = await scratch();
  await using publisher = await publish();
  publisher.status = 500;
  const args = ['--from', publisher.url, '--to', directory.join('rates.json'), '--period', '20ms'];
  await using sidecar = await startSidecar(main, args);
  await until(async () => (await text(sidecar, '/readyz?verbose')).includes('answered 500'), { what: 'the reason' });
  expect((await sidecar.get('/readyz')).status).toBe(503);
  expect((await sidecar.get('/livez')).status).toBe(200);
  // Each round is three attempts.
  expect(publisher.requests.length).toBeGreaterThanOrEqual(3);
  expect(await text(sidecar, '/metrics')).toMatch(/outrigger_rates_rounds_total\{outcome="failed"\} [1-9]/);
  expect(sidecar.logs().some(({ code }) => code === 'RATES_ROUND_FAILED')).toBe(true);
  publisher.status = 200;
  await until(async () => (await sidecar.get('/readyz')).ok, { what: 'readiness' });
});

test('what is no JSON is not published, and old rates stay good enough to be ready', async () => {
  await using directory = await scratch();
  await using publisher = await publish();
  const file = directory.join('rates.json');
  const args = ['--from', publisher.url, '--to', file, '--period', '20ms'];
  await using sidecar = await startSidecar(main, args, { ready: true });
  publisher.body = '<html>maintenance</html>';
  await until(async () => /"failed":[1-9]/.test(await text(sidecar, '/v1/rounds')), { what: 'a failed round' });
  expect(await readFile(file, 'utf8')).toBe('{"EUR":1}');
  expect((await sidecar.get('/readyz')).status).toBe(200);
});

test('a publisher that never answers is given up after --timeout', async () => {
  await using directory = await scratch();
  await using publisher = await publish();
  publisher.silent = true;
  const args = ['--from', publisher.url, '--to', directory.join('rates.json'), '--timeout', '50ms', '--period', '20ms'];
  await using sidecar = await startSidecar(main, args);
  await until(async () => (await text(sidecar, '/readyz?verbose')).includes('timeout'), { what: 'the time-out' });
  sidecar.kill('SIGTERM');
  expect(await sidecar.exited).toEqual({ code: 0, signal: null });
});

test('a new period is in force after SIGHUP, without a restart', async () => {
  await using directory = await scratch();
  await using publisher = await publish();
  const config = directory.join('config.yaml');
  await writeFile(config, 'period: 50ms\n');
  const args = ['--from', publisher.url, '--to', directory.join('rates.json'), '--config', config];
  await using sidecar = await startSidecar(main, args, { ready: true });
  await writeFile(config, 'period: 1h\n');
  sidecar.kill('SIGHUP');
  const period = async () => ((await (await sidecar.get('/v1/parameters')).json()) as { period: unknown }).period;
  await until(async () => JSON.stringify(await period()).includes('1h'), { what: 'the new period' });
});
