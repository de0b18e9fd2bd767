// The tests of every package through turbo, side by side, and their sum.

import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { tally, testedPackages } from './tally.ts';

const folders = testedPackages();
// What an earlier run left must not pass for this one's; turbo restores what it takes from its cache.
for (const folder of folders) rmSync(`${folder}/.results`, { recursive: true, force: true });

const { status } = spawnSync(
  'turbo',
  [
    'run',
    'test',
    '--continue',
    '--output-logs=errors-only',
    `--concurrency=${availableParallelism()}`,
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit' },
);

const { passed, failed, silent } = tally(folders);
// Those that a --filter leaves out are silent rightly.
const missing = process.argv.some((argument) => argument.startsWith('--filter')) ? [] : silent;
for (const folder of missing) process.stdout.write(`${folder}: its tests did not run\n`);
process.stdout.write(`${passed} passed, ${failed + missing.length} failed\n`);
process.exitCode = failed + missing.length > 0 ? 1 : (status ?? 1);
