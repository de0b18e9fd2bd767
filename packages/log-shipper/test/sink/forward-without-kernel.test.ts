// Where WebAssembly does not run, lines of JSON are shipped as they are where it does.

import { pathToFileURL } from 'node:url';
import { startSidecar, until } from '@outrigger/core/testing';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { Receiver } from '../receiver.ts';
import { argumentsFor, main, toForward, workplace } from '../shipper.ts';

test('JSON is shipped without WebAssembly, which is said once', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  // Node.js reads no TypeScript without it.
  const bundled = place.state('main.mjs');
  await build({
    ...{ entryPoints: [new URL(main).pathname], outfile: bundled, bundle: true, platform: 'node', format: 'esm' },
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  await place.append('{"time":"2026-01-02T03:04:05Z","a":[1,"é"]}\nno object\n');
  const args = argumentsFor(place.path, [...toForward(receiver.address), '--parser', 'json']);
  await using shipper = await startSidecar(pathToFileURL(bundled).href, args, { env: { NODE_OPTIONS: '--jitless' } });
  await until(() => receiver.received.length === 2);
  await place.append('{"b":2}\n');
  await until(() => receiver.received.length === 3);
  expect(receiver.received.map(({ record }) => record)).toEqual([
    { time: '2026-01-02T03:04:05Z', a: [1, 'é'] },
    { log: 'no object', parse_error: 'Not a JSON object' },
    { b: 2 },
  ]);
  const said = shipper.logs().filter(({ message }) => String(message).startsWith('WebAssembly does not run here'));
  expect(said).toMatchObject([{ level: 'warn', reason: expect.stringContaining('WebAssembly') }]);
});
