import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { until } from '@outrigger/core/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFailed, test } from 'vitest';
import { ask, behavesAsDemo, client, untilServing } from './demo.ts';
import { type LocalDemo, startLocalDemo } from './local-demo.ts';

const run = promisify(execFile);

/**
 * How many times slower than a quiet machine this one is at the moment: the demo's promises are about seconds of a machine
 * that has nothing else to do, while tests of other packages may be keeping this one busy.
 */
async function slowness(): Promise<number> {
  const began = performance.now();
  for (let i = 0; i < 3; i++) await run(process.execPath, ['--eval', '0']);
  return Math.max(1, (performance.now() - began) / 3 / quietStart);
}

/** Milliseconds to start Node.js and end it. */
const quietStart = 60;

// The ports of the demo are fixed: nothing else on the machine may have them, another run of the demo neither.
describe('outrigger run examples/billing/pod.yaml', () => {
  let demo: LocalDemo;
  let startedIn = Number.POSITIVE_INFINITY;

  beforeAll(async () => {
    const slowBefore = await slowness();
    const began = performance.now();
    demo = await startLocalDemo();
    const gone = demo.exited.then((code) => {
      throw new Error(`outrigger run ended with exit code ${code}:\n${demo.output}`);
    });
    await Promise.race([untilServing(demo), gone]);
    const took = performance.now() - began;
    startedIn = took / Math.max(slowBefore, await slowness());
    gone.catch(() => undefined);
  }, 60_000);

  afterAll(() => demo?.[Symbol.asyncDispose](), 30_000);

  beforeEach(() => {
    const from = demo.output.length;
    // What was said meanwhile tells why.
    onTestFailed(() => void process.stderr.write(demo.output.slice(from)));
  });

  test('serves within 5 seconds', () => {
    expect(startedIn).toBeLessThan(5000);
  });

  behavesAsDemo(() => demo);

  test('says where everything is and what to try, in lines that work when pasted', async () => {
    expect(demo.output).toMatch(/proxy +https +https:\/\/127\.0\.0\.1:8443/);
    const pasted = demo.output.match(/(?<=^ +)(?:curl|git|echo) .*/gm) ?? [];
    expect(pasted.length).toBeGreaterThan(8);
    // -f makes curl fail when the answer is an error.
    for (const line of pasted) await run('sh', ['-ec', line.replace(/^curl/, 'curl -fsS')], { timeout: 10_000 });
    const prices = () => client(demo).then((https) => ask(https, '/prices'));
    await until(async () => (await prices()).body === '{ "hourly": 95 }\n', { what: 'the pushed prices' });
  });

  test('Ctrl-C ends it within 3 seconds and leaves no process and no directory', async () => {
    expect(demo.processes().length).toBeGreaterThanOrEqual(7);
    const slowBefore = await slowness();
    const began = performance.now();
    demo.interrupt();
    expect(await demo.exited).toBe(0);
    const endedIn = performance.now() - began;
    expect(endedIn / Math.max(slowBefore, await slowness())).toBeLessThan(3000);
    expect(demo.processes()).toEqual([]);
    expect(await readdir(demo.temporary)).toEqual([]);
  });
});
