import { expect, test } from 'vitest';
import { startSidecar, until } from '../src/testing/index.ts';

const sample = import.meta.resolve('./fixtures/sample.ts');

test('a stop that outlasts the drain time-out exits 75 and says so', async () => {
  await using sidecar = await startSidecar(sample, ['--stall', 'stop', '--drain-timeout', '300ms']);
  sidecar.kill('SIGTERM');
  expect(await sidecar.exited).toEqual({ code: 75, signal: null });
  expect(sidecar.stderr).toContain('Stopping took longer than --drain-timeout: source did not stop within');
});

test('a stage that hangs does not keep those opened before it from being stopped', async () => {
  await using sidecar = await startSidecar(sample, ['--stall', 'stop', '--drain-timeout', '300ms']);
  sidecar.kill('SIGTERM');
  await sidecar.exited;
  expect(sidecar.stdout).toBe('flushed\n');
});

test('a start that does not heed the signal is left behind, and what it had opened is closed', async () => {
  await using sidecar = await startSidecar(sample, ['--stall', 'deaf', '--drain-timeout', '300ms'], { wait: false });
  await until(() => sidecar.url);
  sidecar.kill('SIGTERM');
  expect(await sidecar.exited).toEqual({ code: 75, signal: null });
  expect(sidecar.stdout).toBe('closed what start had opened\n');
  expect(sidecar.stderr).toContain('start did not stop within');
});

test('a background task that crashes is logged, counted and started again', async () => {
  await using sidecar = await startSidecar(sample, ['--stall', 'task']);
  await until(() => sidecar.stdout.includes('greeting again'), { deadline: 20_000, what: 'the second run' });
  expect(sidecar.logs().find(({ code }) => code === 'TASK_FAILED')).toMatchObject({
    level: 'error',
    message: 'The background task "greet" failed',
    cause: 'tongue-tied',
  });
  expect(await (await sidecar.get('/metrics')).text()).toContain('outrigger_task_failures_total{task="greet"} 1\n');
  sidecar.kill('SIGTERM');
  expect(await sidecar.exited).toEqual({ code: 0, signal: null });
});

test('a background task that must not fail ends the sidecar with exit code 1', async () => {
  await using sidecar = await startSidecar(sample, ['--stall', 'fatal-task'], { wait: false });
  expect(await sidecar.exited).toEqual({ code: 1, signal: null });
  expect(sidecar.logs().at(-1)).toMatchObject({ level: 'error', message: 'speechless' });
});

test('a sidecar that has done what it was for stops itself with exit code 0', async () => {
  await using sidecar = await startSidecar(sample, ['--stall', 'done'], { wait: false });
  expect(await sidecar.exited).toEqual({ code: 0, signal: null });
  expect(sidecar.stdout).toBe('flushed\n');
});

test('a second SIGTERM ends a stop that hangs', async () => {
  // The time-out would end it with the same exit code.
  await using sidecar = await startSidecar(sample, ['--stall', 'stop', '--drain-timeout', '1h']);
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

test('a start that finds a value wrong exits 64 with one line', async () => {
  await using sidecar = await startSidecar(sample, ['--stall', 'wrong'], { wait: false });
  expect(await sidecar.exited).toEqual({ code: 64, signal: null });
  expect(sidecar.stderr).toContain('  --upstream  http://127.0.0.1:8080 (default): is on the moon\n');
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
