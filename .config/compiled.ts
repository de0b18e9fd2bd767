// Most of the processes that a package's tests start are the same program: it is compiled once for a run of them, and up
// in half the time.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

const program = 'src/main.ts';

export default function keepCompiled({ config }: TestProject): void {
  const directory = mkdtempSync(join(tmpdir(), 'outrigger-compiled-'));
  // Not when the tests are done: vitest's own workers write there too, and end after that.
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  config.env = { ...config.env, NODE_COMPILE_CACHE: directory };
  // Node.js writes when a process ends by itself. Those of tests are mostly killed: this one is not.
  const env = { ...process.env, ...config.env };
  if (existsSync(program)) spawnSync(process.execPath, [program, '--version'], { env });
}
