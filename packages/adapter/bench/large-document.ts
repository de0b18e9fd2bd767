// How long a scrape of a 1.2 MB document takes, and how long /livez is kept waiting meanwhile. The budget: 250 ms.
// `node bench/large-document.ts [main]`, where main is src/main.ts or the bundle of an image, dist/main.mjs.

import { writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { wait } from '@outrigger/core';
import { scratch, startSidecar } from '@outrigger/core/testing';
import { largeDocument, largeRules } from '../test/helpers/large.ts';
import { serve, xml } from '../test/helpers/server.ts';

const scrapes = 20;
const { document, queues } = largeDocument(1_200_000);

await using directory = await scratch();
await writeFile(directory.join('rules.yaml'), largeRules);
await using server = await serve(xml(Buffer.from(document)));
await using sidecar = await startSidecar(
  pathToFileURL(process.argv[2] ?? fileURLToPath(import.meta.resolve('../src/main.ts'))).href,
  ['--target', server.url, '--rules-file', directory.join('rules.yaml'), '--max-age', '0', '--series-limit', '100000'],
  { ready: true },
);

const times: number[] = [];
const stalls: number[] = [];
for (let scrape = 0; scrape < scrapes; scrape++) {
  let done = false;
  const from = performance.now();
  const scraping = sidecar.get('/metrics').then(async (response) => {
    const text = await response.text();
    done = true;
    if (!text.includes(`outrigger_adapter_series ${queues}\n`)) throw new Error('Series are missing');
    times.push(performance.now() - from);
  });
  while (!done) {
    const asked = performance.now();
    await (await sidecar.get('/livez')).text();
    stalls.push(performance.now() - asked);
    await wait(5);
  }
  await scraping;
}

const [first, ...rest] = times;
const sorted = rest.toSorted((a, b) => a - b);
const milliseconds = (value: number | undefined) => `${(value ?? Number.NaN).toFixed(0)} ms`;
const resident = /^process_resident_memory_bytes (\S+)$/m.exec(await (await sidecar.get('/metrics')).text())?.[1];
const table = {
  document: `${(document.length / 1e6).toFixed(2)} MB, ${queues * 3 + 1} elements, ${queues} series`,
  'first scrape (starts the thread)': milliseconds(first),
  'later scrapes, median': milliseconds(sorted[Math.floor(sorted.length / 2)]),
  'later scrapes, slowest': milliseconds(sorted.at(-1)),
  'longest wait of /livez meanwhile': milliseconds(Math.max(...stalls)),
  'resident memory afterwards': `${(Number(resident) / 1e6).toFixed(0)} MB`,
};
for (const [what, value] of Object.entries(table)) console.log(`${what.padEnd(34)} ${value}`);
