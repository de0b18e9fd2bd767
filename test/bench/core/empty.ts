// What a sidecar costs before it does anything: an empty one on core beside the same on express, dotenv, winston and
// prom-client, both bundled, and beside the least a Node process with an HTTP listener costs.

import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { freePort, type Scratch, scratch } from '@outrigger/core/testing';
import { build } from 'esbuild';
import { ask, heading, type Measured, median, type Subject, settledMemory, start } from '../measure.ts';
import { bareServer, bundleEmptySidecar, interpreterOf } from '../subjects.ts';

const target = { memory: 20, ready: 200 };
const startRounds = 15;
// Fifty minutes of a Pod whose three probes and one scrape come every ten seconds.
const rounds = 300;
const paths = ['/livez', '/readyz', '/metrics'];

type Variant = Subject & { readonly bytes: number };
type Row = Variant & {
  readonly idle: number;
  readonly probed: number;
  readonly ready: number;
  readonly readyMedian: number;
  readonly cpu: number;
  readonly modules: number;
};

await using directory = await scratch();
const main = bundleEmptySidecar();
const variants = [{ ...(await bareServer(directory)), bytes: 0 }, await onCore(), ...(await onPeers(directory))];
// Memory is not disturbed by other processes; time is.
const memory = await Promise.all(variants.map(measureMemory));
const starts = await measureStarts(variants);
const rows: Row[] = [];
for (const [at, variant] of variants.entries()) {
  const modules = await countModules(variant, directory);
  rows.push({ ...variant, ...memory[at]!, ...starts[at]!, modules });
}
print(rows);

async function onCore(): Promise<Variant> {
  const port = await freePort();
  const chunks = join(dirname(main), 'chunks');
  const files = [main, ...readdirSync(chunks).map((chunk) => join(chunks, chunk))];
  return {
    name: 'an empty sidecar',
    command: [main, '--admin-address', `127.0.0.1:${port}`],
    url: `http://127.0.0.1:${port}`,
    bytes: files.reduce((total, file) => total + statSync(file).size, 0),
  };
}

/** As it is usually run, and with the flags of the sidecar's first line. */
async function onPeers({ join }: Scratch): Promise<Variant[]> {
  const outfile = join('peer.mjs');
  await build({
    entryPoints: [`${import.meta.dirname}/peer.js`],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node26',
    format: 'esm',
    minifySyntax: true,
    minifyWhitespace: true,
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  const name = 'express, dotenv, winston, prom-client';
  const bytes = statSync(outfile).size;
  const variant = async (name: string, program: readonly string[]): Promise<Variant> => {
    const port = await freePort();
    const env = { ADMIN_HOST: '127.0.0.1', ADMIN_PORT: String(port) };
    return { name, command: [...program, outfile], url: `http://127.0.0.1:${port}`, env, bytes };
  };
  return [await variant(name, ['node']), await variant('the same, with a sidecar’s flags', interpreterOf(main))];
}

function probed(variant: Variant): Subject {
  return { ...variant, url: `${variant.url}/readyz` };
}

async function measureMemory(variant: Variant): Promise<Pick<Row, 'idle' | 'probed'>> {
  await using process = await start(probed(variant));
  const idle = await settledMemory(process.pid, 10_000);
  for (let round = 0; round < rounds; round++) await Promise.all(paths.map((path) => ask(variant.url + path)));
  // A sidecar looks once a minute whether there is memory to give back.
  return { idle, probed: await settledMemory(process.pid, 65_000) };
}

/** One after the other in turns, so that whatever else the machine does meets all of them. */
async function measureStarts(variants: readonly Variant[]): Promise<Pick<Row, 'ready' | 'readyMedian' | 'cpu'>[]> {
  const starts = variants.map((): Pick<Measured, 'ready' | 'readyCpu'>[] => []);
  for (let round = 0; round < startRounds; round++) {
    for (const [at, variant] of variants.entries()) {
      await using process = await start(probed(variant));
      starts[at]!.push({ ready: process.ready, readyCpu: process.readyCpu });
    }
  }
  return starts.map((each) => {
    const ready = each.map((one) => one.ready);
    return { ready: Math.min(...ready), readyMedian: median(ready), cpu: Math.min(...each.map((one) => one.readyCpu)) };
  });
}

/** How many of Node's own modules it loads. */
async function countModules({ command, env }: Variant, { join }: Scratch): Promise<number> {
  const counter = join('count.cjs');
  await writeFile(
    counter,
    'setTimeout(() => { console.log(process.moduleLoadList.length); process.exit(); }, 1000);\n',
  );
  const script = command.findIndex((word) => word.endsWith('.mjs'));
  const counted = ['--require', counter, ...command.slice(script)];
  const { stdout } = spawnSync(process.execPath, counted, { env: { ...process.env, ...env }, encoding: 'utf8' });
  return Number(stdout);
}

function print(rows: readonly Row[]): void {
  const cells = ({ name, idle, probed, ready, readyMedian, cpu, bytes, modules }: Row) => [
    name,
    idle.toFixed(1),
    probed.toFixed(1),
    ready.toFixed(0),
    readyMedian.toFixed(0),
    cpu.toFixed(0),
    bytes ? (bytes / 1024).toFixed(0) : '',
    modules,
  ];
  const lines = rows.map((row) => `| ${cells(row).join(' | ')} |\n`).join('');
  process.stdout.write(
    `${heading(`An empty sidecar, ${startRounds} starts`)}` +
      `| | idle, MB | after ${rounds} rounds of probes, MB | ready, least ms | median | CPU until ready, ms | bundle, KiB | modules of Node |\n` +
      `|---|---|---|---|---|---|---|---|\n${lines}` +
      `| target | ${target.memory} | | ${target.ready} | | | | |\n\n`,
  );
}
