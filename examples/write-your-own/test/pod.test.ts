// The Pod of pod.yaml, run for real: the application prints what the sidecar has fetched.

import { fileURLToPath } from 'node:url';
import { openEndpoint } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { runPod } from '../../../packages/pod/test/outrigger.ts';

const pod = fileURLToPath(new URL('../pod.yaml', import.meta.url));

test('the application reads the rates, and Ctrl-C ends all of it', async () => {
  await using publisher = await openEndpoint({ answer: (response) => response.end('{"EUR":1.25}\n') });
  await using run = await runPod(pod, { args: ['--env', `rates.OUTRIGGER_FROM=${publisher.url}`] });
  await run.said(/^app +\| \{"EUR":1\.25\}$/);
  expect(await run.stop()).toEqual({ code: 0, signal: null });
  // The preStop hook reached it: `sidecar` in the manifest is this package's own program.
  expect(run.stdout).toContain('The Pod is going');
});
