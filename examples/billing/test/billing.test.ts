import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { until } from '@outrigger/core/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFailed, test } from 'vitest';
import { ask, behavesAsDemo, client, untilServing } from './demo.ts';
import { type LocalDemo, startLocalDemo } from './local-demo.ts';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../../..');

// The ports of the demo are fixed: nothing else on the machine may have them, another run of the demo neither.
describe('outrigger run examples/billing/pod.yaml', () => {
  let demo: LocalDemo;

  beforeAll(async () => {
    demo = await startLocalDemo();
    const gone = demo.exited.then((code) => {
      throw new Error(`outrigger run ended with exit code ${code}:\n${demo.output}`);
    });
    await Promise.race([untilServing(demo), gone]);
    gone.catch(() => undefined);
  }, 60_000);

  afterAll(() => demo?.[Symbol.asyncDispose](), 30_000);

  beforeEach(() => {
    const from = demo.output.length;
    // What was said meanwhile tells why.
    onTestFailed(() => void process.stderr.write(demo.output.slice(from)));
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

  test('the lines of the README work when pasted', async () => {
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    const block = /```\n(# The application speaks[\s\S]*?)```/.exec(readme)![1]!;
    const pasted =
      block
        .replaceAll('/tmp/outrigger-billing', `${demo.temporary}/outrigger-billing`)
        .match(/^(?:curl|git|echo) .*/gm) ?? [];
    expect(pasted.length).toBeGreaterThan(7);
    for (const line of pasted) await run('sh', ['-ec', line.replace(/^curl/, 'curl -fsS')], { timeout: 10_000 });
    const prices = () => client(demo).then((https) => ask(https, '/prices'));
    await until(async () => (await prices()).body === '{ "hourly": 110 }\n', { what: 'the pushed prices' });
  });

  test('Ctrl-C ends it and leaves no process and no directory', async () => {
    expect(demo.processes().length).toBeGreaterThanOrEqual(7);
    demo.interrupt();
    expect(await demo.exited).toBe(0);
    expect(demo.processes()).toEqual([]);
    expect(await readdir(demo.temporary)).toEqual([]);
  });
});
