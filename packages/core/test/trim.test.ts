import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { wait } from '../src/every.ts';
import { until } from '../src/testing/index.ts';
import { trimWhenQuiet } from '../src/trim.ts';

const MiB = 1024 ** 2;

test('a quiet process gives back what a burst took', async () => {
  const program = `
    import { trimWhenQuiet } from ${JSON.stringify(import.meta.resolve('../src/trim.ts'))};
    import { setTimeout as wait } from 'node:timers/promises';
    let burst = Array.from({ length: 500_000 }, (_, at) => ({ at, text: 'x' + at }));
    burst = undefined;
    const before = process.memoryUsage.rss();
    const end = performance.now() + 10_000;
    trimWhenQuiet(AbortSignal.timeout(20_000), { first: 100, period: 100 });
    while (process.memoryUsage.rss() > before - 20 * ${MiB} && performance.now() < end) await wait(50);
    console.log(before - process.memoryUsage.rss());
    process.exit();
  `;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  expect(Number(stdout)).toBeGreaterThan(20 * MiB);
  // Nothing of experiments either.
  expect(stderr).toBe('');
}, 20_000);

// Buffers lie in malloc's memory; those that stay are all over it, the last of them at its end.
test('a quiet process gives back what malloc keeps between what is in use', async () => {
  const program = `
    import { trimWhenQuiet } from ${JSON.stringify(import.meta.resolve('../src/trim.ts'))};
    import { setTimeout as wait } from 'node:timers/promises';
    let buffers = Array.from({ length: 2_000 }, () => Buffer.alloc(32_768, 1));
    const kept = buffers.filter((_, at) => at % 20 === 19);
    buffers = undefined;
    const before = process.memoryUsage.rss();
    const end = performance.now() + 10_000;
    trimWhenQuiet(AbortSignal.timeout(20_000), { first: 100, period: 100 });
    while (process.memoryUsage.rss() > before - 40 * ${MiB} && performance.now() < end) await wait(50);
    console.log(kept.every(([octet]) => octet === 1), before - process.memoryUsage.rss());
    process.exit();
  `;
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, flags);
  const [intact, gain] = stdout.trim().split(' ');
  expect(intact).toBe('true');
  expect(Number(gain)).toBeGreaterThan(40 * MiB);
  expect(stderr).toBe('');
}, 20_000);

test('it waits for the end of the load, and collects again only for a gain', async () => {
  const stop = new AbortController();
  let collections = 0;
  const collect = () => {
    collections++;
  };
  const load = setInterval(() => {
    const end = performance.now() + 5;
    while (performance.now() < end);
  }, 10);
  trimWhenQuiet(stop.signal, { collect, first: 50, period: 50 });
  try {
    await wait(500);
    expect(collections).toBe(0);
    clearInterval(load);
    await until(() => collections > 0, { what: 'a collection' });
    await wait(500);
    expect(collections).toBe(1);
    const grown = Buffer.alloc(32 * MiB, 1);
    await until(() => collections > 1, { what: 'a second collection' });
    expect(grown[0]).toBe(1);
  } finally {
    clearInterval(load);
    stop.abort();
  }
}, 20_000);

test('it does nothing after the signal', async () => {
  let collections = 0;
  const collect = () => {
    collections++;
  };
  const stop = new AbortController();
  trimWhenQuiet(stop.signal, { collect, first: 20, period: 20 });
  stop.abort();
  await wait(200);
  expect(collections).toBe(0);
});
