// Runs the benchmarks that are named, or all, one after the other: pnpm bench [name ...]

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

const here: Readonly<Record<string, readonly string[]>> = {
  core: ['core/empty.ts', 'core/admin.ts'],
  idle: ['idle.ts'],
  footprint: ['footprint/bench.ts'],
  demo: ['demo.ts'],
  proxy: ['proxy/bench.ts'],
  'log-shipper': ['log-shipper/hot-path.ts', 'log-shipper/bench.ts'],
};

type Bench = { readonly cwd: string; readonly files: readonly string[] };

/** Of a role alone: its package's own. */
const roles = readdirSync(join(root, 'packages')).flatMap((role): [string, Bench][] => {
  const cwd = join(root, 'packages', role);
  const { scripts } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8')) as {
    scripts?: Readonly<Record<string, string>>;
  };
  const file = scripts?.bench?.replace(/^node /, '');
  return file === undefined ? [] : [[role, { cwd, files: [file] }]];
});

const cwd = import.meta.dirname;
const benches = new Map([...Object.entries(here).map(([name, files]) => [name, { cwd, files }] as const), ...roles]);
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !benches.has(name));
if (unknown.length > 0) {
  process.stderr.write(
    `bench: no benchmark is called ${unknown.join(', ')}; there are ${[...benches.keys()].join(', ')}\n`,
  );
  process.exit(64);
}
for (const [name, { cwd, files }] of benches) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const file of files) {
    const { status } = spawnSync(process.execPath, [file], { cwd, stdio: 'inherit' });
    if (status !== 0) process.exitCode = 1;
  }
}
