import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { scratch, startSidecar, until } from '../src/testing/index.ts';
import { connectRaw } from './support/raw-client.ts';

const sample = import.meta.resolve('./fixtures/sample.ts');

test('foreign series are shown in both formats beside the own ones', async () => {
  await using sidecar = await startSidecar(sample, []);
  const plain = await (await sidecar.get('/metrics')).text();
  expect(plain).toContain('# TYPE foreign_jobs_total counter\nforeign_jobs_total{queue="a\\"b"} 3\n');
  const open = await (await sidecar.get('/metrics', { headers: { accept: 'application/openmetrics-text' } })).text();
  expect(open).toContain('# TYPE foreign_jobs counter\nforeign_jobs_total{queue="a\\"b"} 3\n# EOF\n');
});

test('with a token, changes need it, and it is read again when its file changes', async () => {
  await using directory = await scratch();
  const file = directory.join('token');
  await writeFile(file, 'first\n');
  await using sidecar = await startSidecar(sample, ['--admin-token-file', file]);
  const prestop = (authorization?: string) =>
    sidecar.post('/v1/prestop', authorization === undefined ? {} : { headers: { authorization } });
  expect((await prestop()).status).toBe(401);
  expect((await prestop('Bearer wrong')).status).toBe(401);
  expect((await sidecar.get('/v1/status')).status).toBe(200);
  await writeFile(file, 'second, longer\n');
  await until(async () => (await prestop('Bearer first')).status === 401);
  expect((await prestop('Bearer second, longer')).status).toBe(202);
  await using word = await startSidecar(sample, ['--admin-token-file', file, 'prestop'], {
    wait: false,
    adminAddress: new URL(sidecar.url).host,
  });
  expect((await word.exited).code).toBe(0);
  const everything = `${sidecar.stderr}${await (await sidecar.get('/v1/parameters')).text()}`;
  expect(everything).not.toContain('second, longer');
});

test('a probe that waited while the process stood still is told so, and the hiccup clears by itself', async () => {
  await using sidecar = await startSidecar(sample, ['--event-loop-limit', '500ms']);
  using probe = await connectRaw(sidecar.url);
  sidecar.kill('SIGSTOP');
  probe.socket.write('GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const begun = performance.now();
  await until(() => performance.now() - begun > 1_500);
  expect(probe.received).toBe('');
  sidecar.kill('SIGCONT');
  const answer = await probe.rest();
  expect(answer).toMatch(/^HTTP\/1\.1 503 /);
  expect(answer).toMatch(/\[-\]event-loop failed: the event loop was held up for \d\.\d s since /);
  expect((await sidecar.get('/readyz')).status).toBe(200);
  expect(await (await sidecar.get('/metrics')).text()).toMatch(/^outrigger_event_loop_delay_seconds [1-9]/m);
  await until(async () => (await sidecar.get('/livez')).ok, { deadline: 15_000, what: 'the end of the hiccup' });
});
