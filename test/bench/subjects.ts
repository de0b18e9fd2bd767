// What is measured in more than one table: the least that a Node process with an HTTP listener is, and an empty sidecar.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, type Scratch } from '@outrigger/core/testing';
import type { Subject } from './measure.ts';

export async function bareServer({ join }: Scratch): Promise<Subject> {
  const port = await freePort();
  const file = join('bare.mjs');
  const listen = `createServer((_, response) => response.end('ok')).listen(${port}, '127.0.0.1')`;
  await writeFile(file, `import { createServer } from 'node:http';\n${listen};\n`);
  return { name: 'node:http alone', command: ['node', file], url: `http://127.0.0.1:${port}` };
}

/** Returns its dist/main.mjs. */
export function bundleEmptySidecar(): string {
  const cwd = join(import.meta.dirname, 'core/sidecar');
  execFileSync(process.execPath, [fileURLToPath(import.meta.resolve('../../packages/core/scripts/bundle.ts'))], {
    cwd,
  });
  return join(cwd, 'dist/main.mjs');
}

/** What a bundle's first line runs it with. */
export function interpreterOf(main: string): string[] {
  const [first = ''] = readFileSync(main, 'utf8').split('\n');
  return first.slice('#!'.length).split(' ');
}
