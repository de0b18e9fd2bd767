// The two layers under all images, made by the script `base` when something they depend on has changed.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Architecture, root } from './images.ts';
import { nodeFor, nodePackage } from './node.ts';
import { run } from './run.ts';

const script = join(root, 'images/base');

/** @param fresh with Debian's packages of today, whatever is there */
export function makeBase(architecture: Architecture, out: string, fresh: boolean): void {
  const directory = join(out, architecture);
  const key = createHash('sha256')
    .update(readFileSync(script))
    .update(nodePackage(architecture).integrity)
    .digest('hex');
  const keyFile = join(directory, 'key');
  const unchanged = existsSync(keyFile) && readFileSync(keyFile, 'utf8') === key;
  if (unchanged && !fresh) return;
  run('bash', [script, architecture, nodeFor(architecture), directory]);
  // The last thing that is written: layers without it are made again.
  writeFileSync(keyFile, key);
}
