import { startSidecar, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';

const main = import.meta.resolve('../src/main.ts');

test('it works again and again, and says so', async () => {
  await using sidecar = await startSidecar(main, ['--period', '10ms'], { ready: true });
  const rounds = async () => (await (await sidecar.get('/v1/rounds')).json()) as { succeeded: number; failed: number };
  await until(async () => (await rounds()).succeeded > 2, { what: 'three rounds' });
  expect((await rounds()).failed).toBe(0);
  expect(await (await sidecar.get('/metrics')).text()).toMatch(/_rounds_total\{outcome="succeeded"\} [1-9]/);
  sidecar.kill('SIGTERM');
  expect(await sidecar.exited).toEqual({ code: 0, signal: null });
});
