// Compiled modules, kept from run to run beside the installed packages. A sidecar starts in half the time with it, and
// starting takes most of the time that starting and stopping a Pod takes. Node.js does without where it cannot write.

import { enableCompileCache, flushCompileCache, getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';

const directory = fileURLToPath(new URL('../node_modules/.cache/outrigger/', import.meta.url));

/** Before anything else is loaded. The user's own NODE_COMPILE_CACHE wins. */
export function useCompileCache(): void {
  if (!process.env.NODE_COMPILE_CACHE) enableCompileCache(directory);
}

/** Writes what was loaded so far, for programs that are about to start. Returns the variables that they need. */
export function shareCompileCache(): Readonly<Record<string, string>> {
  flushCompileCache();
  return getCompileCacheDir() ? { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE || directory } : {};
}
