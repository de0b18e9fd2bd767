// How every package runs its tests.

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: fileURLToPath(new URL('./compiled.ts', import.meta.url)),
    include: ['test/**/*.test.ts', '*.test.ts'],
    reporters: ['default', 'json'],
    outputFile: { json: '.results/vitest.json' },
    // Tests start real processes on a machine that may be busy with other packages' tests; each wait has its own,
    // shorter deadline that says what was awaited.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Packages run side by side already.
    maxWorkers: 2,
  },
});
