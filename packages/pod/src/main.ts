#!/usr/bin/env node
// The process: everything is loaded through the compile cache, for a Pod starts many programs of the same modules.

import { useCompileCache } from './compile-cache.ts';

useCompileCache();
const [{ reasonOf }, { outrigger }] = await Promise.all([import('@outrigger/core'), import('./command-line.ts')]);
try {
  process.exit(await outrigger(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`outrigger: ${reasonOf(error)}\n`);
  process.exit(1);
}
