// Bundles a role into one executable file, dist/main.mjs, as its image holds it. Run in the role's folder.

import { chmodSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const file = 'dist/main.mjs';

await build({
  entryPoints: ['src/main.ts'],
  outfile: file,
  bundle: true,
  platform: 'node',
  target: 'node26',
  format: 'esm',
  minifySyntax: true,
  minifyWhitespace: true,
  // Stack traces and profiles keep the names of the source.
  keepNames: false,
  legalComments: 'linked',
  conditions: ['node', 'import'],
  // prom-client loads it for a default metric that no sidecar has.
  alias: { '@opentelemetry/api': fileURLToPath(new URL('absent.cjs', import.meta.url)) },
  banner: {
    js: [
      '#!/usr/bin/env -S node --max-semi-space-size=2 --disable-warning=ExperimentalWarning',
      // CommonJS dependencies ask for require.
      "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    ].join('\n'),
  },
  logLevel: 'warning',
});
chmodSync(file, 0o755);
process.stdout.write(`${file}  ${Math.round(statSync(file).size / 1024)} KiB\n`);
