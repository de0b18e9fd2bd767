import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFailed, test } from 'vitest';
import { behavesAsDemo, untilServing } from './demo.ts';
import { type LocalDemo, startLocalDemo } from './local-demo.ts';

// The ports of the demo are fixed: nothing else on the machine may have them, another run of the demo neither.
describe('outrigger run examples/billing/pod.yaml', () => {
  let demo: LocalDemo;
  let startedIn = Number.POSITIVE_INFINITY;

  beforeAll(async () => {
    const began = performance.now();
    demo = await startLocalDemo();
    const gone = demo.exited.then((code) => {
      throw new Error(`outrigger run ended with exit code ${code}:\n${demo.output}`);
    });
    await Promise.race([untilServing(demo), gone]);
    startedIn = performance.now() - began;
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

  test('says where everything is and what to try, with paths that exist', () => {
    expect(demo.output).toContain('https://localhost:8443');
    expect(demo.output).toContain(`curl --cacert ${demo.volume('tls')}/ca.crt https://localhost:8443/invoices`);
    expect(demo.output).toContain(`git clone -q ${demo.volume('repository')}/billing.git`);
  });

  test('Ctrl-C ends it within 3 seconds and leaves no process and no directory', async () => {
    expect(demo.processes().length).toBeGreaterThanOrEqual(7);
    const began = performance.now();
    demo.interrupt();
    expect(await demo.exited).toBe(0);
    expect(performance.now() - began).toBeLessThan(3000);
    expect(demo.processes()).toEqual([]);
    expect(await readdir(demo.temporary)).toEqual([]);
  });
});
