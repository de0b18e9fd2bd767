import { expect, test } from 'vitest';
import { startSidecar, until } from '../src/testing/index.ts';

const sample = import.meta.resolve('./fixtures/sample.ts');

test('a stop that outlasts the drain time-out exits 75 and says so', async () => {
  await using sidecar = await startSidecar(sample, ['--stall', 'stop', '--drain-timeout', '300ms']);
  sidecar.kill('SIGTERM');
  expect(await sidecar.exited).toEqual({ code: 75, signal: null });
  expect(sidecar.stderr).toContain('Stopping took longer than --drain-timeout');
});

test('a second SIGTERM ends a stop that hangs', async () => {
  await using sidecar = await startSidecar(sample, ['--stall', 'stop']);
  sidecar.kill('SIGTERM');
  await until(() => sidecar.stderr.includes('"Stopping"'));
  sidecar.kill('SIGTERM');
  expect(await sidecar.exited).toEqual({ code: 75, signal: null });
});

test('/livez stays 200 while it drains', async () => {
  await using sidecar = await startSidecar(sample, ['--stall', 'stop']);
  sidecar.kill('SIGTERM');
  await until(() => sidecar.stderr.includes('"Stopping"'));
  expect((await sidecar.get('/livez')).status).toBe(200);
  expect((await sidecar.get('/readyz')).status).toBe(503);
  expect(await (await sidecar.get('/metrics')).text()).toContain('outrigger_phase{phase="stopping"} 1');
});

test('SIGTERM reaches a start that has not finished', async () => {
  await using sidecar = await startSidecar(sample, ['--stall', 'start'], { wait: false });
  await until(() => sidecar.url);
  expect((await sidecar.get('/startupz')).status).toBe(503);
  expect((await sidecar.get('/livez')).status).toBe(200);
  expect((await sidecar.get('/v1/greetings/you')).status).toBe(503);
  sidecar.kill('SIGTERM');
  expect(await sidecar.exited).toEqual({ code: 0, signal: null });
});

test('a start that fails exits 1 with its causes', async () => {
  await using sidecar = await startSidecar(sample, ['--stall', 'fail'], { wait: false });
  expect(await sidecar.exited).toEqual({ code: 1, signal: null });
  expect(sidecar.logs().at(-1)).toMatchObject({ level: 'error', message: 'cannot start: no luck' });
});

test('a failure while serving exits 1 with its code and hint', async () => {
  await using sidecar = await startSidecar(sample, ['--stall', 'crash'], { wait: false });
  expect(await sidecar.exited).toEqual({ code: 1, signal: null });
  expect(sidecar.logs().at(-1)).toMatchObject({ code: 'SAMPLE_TEAPOT', message: 'the sample is a teapot' });
});

test('pretty logs are text for people', async () => {
  await using sidecar = await startSidecar(sample, ['--log-format', 'pretty', '--stall', 'fail'], { wait: false });
  await sidecar.exited;
  expect(sidecar.stderr).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} info {2}sample Admin listener is up address=127\.0\.0\.1:\d+/m,
  );
});
