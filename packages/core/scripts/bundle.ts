// Bundles a role: dist/main.mjs, which is executable, and dist/chunks, which it loads only when they are asked for: less to
// parse at start and to keep in memory. Run in the role's folder.
//   --image              for an image that stands on the toolkit's base, and not for this machine
//   --outdir=<folder>    instead of dist
//   --metafile=<file>    says what went into it

import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, type Plugin } from 'esbuild';

const { values: flags } = parseArgs({
  options: {
    image: { type: 'boolean', default: false },
    outdir: { type: 'string', default: 'dist' },
    metafile: { type: 'string' },
  },
});
const main = join(relative('.', flags.outdir), 'main.mjs');

// One malloc arena and small semi-spaces: measured, each is up to a megabyte less for a process that is mostly idle. Half
// of the memory limit for the heap: V8 alone takes 262 MB for granted in a container of 64. And SIGUSR1 would open a
// debugger to the whole Pod.
const onThisMachine =
  '#!/usr/bin/env -S MALLOC_ARENA_MAX=1 node --max-semi-space-size=2 --max-old-space-size-percentage=50 --disable-sigusr1 --disable-warning=ExperimentalWarning';

// No `env` in the image, and a first line has room for one flag: this one must hold even where NODE_OPTIONS is set. The
// others are the image's environment.
const interpreter = flags.image ? '#!/usr/local/bin/node --disable-sigusr1' : onThisMachine;

// What dependencies load and no sidecar reaches: half a megabyte of an idle process.
const unreached = [
  // Of a default metric that no sidecar has.
  /^@opentelemetry\/api$/,
  // The rest of prom-client beside counters, gauges, histograms and their registry.
  /^\.\/lib\/(defaultMetrics|cluster|pushgateway|summary)$/,
  // Where pino writes when it is not given a destination; core's log gives it one.
  /^(\.\/(lib\/)?(transport|multistream)|sonic-boom|thread-stream|on-exit-leak-free)$/,
];

const leaveOut: Plugin = {
  name: 'leave-out',
  setup({ onResolve }) {
    const path = fileURLToPath(new URL('absent.cjs', import.meta.url));
    for (const filter of unreached)
      onResolve({ filter }, ({ importer }) => (/\/(prom-client|pino)\//.test(importer) ? { path } : undefined));
  },
};

// A chunk made of a CommonJS package has only a default export: this gives `await import('yaml')` the names it has in Node.
const nameExports: Plugin = {
  name: 'name-exports',
  setup({ onResolve, onLoad, resolve }) {
    onResolve({ filter: /^[@a-z]/ }, async ({ path, kind, importer, resolveDir }) => {
      if (kind !== 'dynamic-import' || /^(node:|@outrigger\/)/.test(path)) return undefined;
      const found = await resolve(path, { kind: 'import-statement', importer, resolveDir });
      return found.external ? undefined : { path: found.path, namespace: 'named' };
    });
    onLoad({ filter: /./, namespace: 'named' }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter((name) => name !== 'module.exports');
      return { contents: `export { ${names.join(', ')} } from ${JSON.stringify(path)};`, resolveDir: dirname(path) };
    });
  },
};

rmSync(flags.outdir, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { main: 'src/main.ts' },
  outdir: flags.outdir,
  outExtension: { '.js': '.mjs' },
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  platform: 'node',
  target: 'node26',
  format: 'esm',
  // Stack traces and profiles keep the names of the source: shortening those too saves no memory.
  minifySyntax: true,
  minifyWhitespace: true,
  // A crash prints the line it happened on.
  lineLimit: 200,
  legalComments: 'linked',
  conditions: ['node', 'import'],
  plugins: [leaveOut, nameExports],
  // CommonJS dependencies ask for require.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  metafile: true,
  logLevel: 'warning',
});
writeFileSync(main, `${interpreter}\n${readFileSync(main, 'utf8')}`);
chmodSync(main, 0o755);
if (flags.metafile) writeFileSync(flags.metafile, JSON.stringify(metafile));

const { outputs } = metafile;
const sizeOf = (files: Iterable<string>) =>
  `${Math.round([...files].reduce((total, file) => total + outputs[file]!.bytes, 0) / 1024)} KiB`;
const modules = Object.keys(outputs).filter((file) => file.endsWith('.mjs'));
process.stdout.write(`${main}  ${sizeOf(loadedBy(main))} at start, ${sizeOf(modules)} with all chunks\n`);

/** A file and what it imports unconditionally. */
function loadedBy(file: string, loaded = new Set<string>()): ReadonlySet<string> {
  if (loaded.has(file)) return loaded;
  loaded.add(file);
  for (const { path, kind, external } of outputs[file]!.imports)
    if (kind === 'import-statement' && !external) loadedBy(path, loaded);
  return loaded;
}
