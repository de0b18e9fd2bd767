// The Pod of pod.yaml, run for real: the application prints what the sidecar has fetched.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { scratch, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';

const outrigger = fileURLToPath(import.meta.resolve('../../../packages/pod/src/main.ts'));
const pod = fileURLToPath(new URL('../pod.yaml', import.meta.url));

test('the application reads the rates, and Ctrl-C ends all of it', async () => {
  await using directory = await scratch();
  const publisher = createServer((_, response) => response.end('{"EUR":1.25}\n')).listen(0, '127.0.0.1');
  await once(publisher, 'listening');
  const from = `http://127.0.0.1:${(publisher.address() as AddressInfo).port}/rates.json`;
  const child = spawn(process.execPath, [outrigger, 'run', pod, '--env', `rates.OUTRIGGER_FROM=${from}`], {
    env: { ...process.env, TMPDIR: directory.path, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  const ended = once(child, 'close');
  const read = () => /^app +\| \{"EUR":1\.25\}$/m.test(output);
  try {
    await until(read, { deadline: 30_000, what: () => `the rates in the application's output:\n${output}` });
  } finally {
    child.kill('SIGINT');
    publisher.close();
  }
  expect(await ended, output).toEqual([0, null]);
  // The preStop hook reached it: `sidecar` in the manifest is this package's own program.
  expect(output).toContain('The Pod is going');
});
