// Node for an architecture, as pnpm-lock.yaml pins it. This machine's own is in node_modules, where pnpm has compared its
// archive with the lockfile; another one is fetched, and compared here.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Architecture, architectures, dist, hostArchitecture, root } from './images.ts';
import { integrityOf, versionOf } from './lockfile.ts';
import { run } from './run.ts';

export type NodePackage = {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
};

export function nodePackage(architecture: Architecture): NodePackage {
  const name = `node-linux-${architectures[architecture].npm}`;
  const version = versionOf(name);
  return { name, version, integrity: integrityOf(name, version) };
}

/** The path of its program, beside whose directory its licence lies. */
export function nodeFor(architecture: Architecture): string {
  const { name } = nodePackage(architecture);
  const folder = architecture === hostArchitecture ? join(root, 'node_modules', name) : fetched(architecture);
  return join(folder, 'bin/node');
}

function fetched(architecture: Architecture): string {
  const { name, version, integrity } = nodePackage(architecture);
  const directory = join(dist, 'node', `${name}-${version}`);
  const archive = join(directory, `${name}-${version}.tgz`);
  mkdirSync(directory, { recursive: true });
  if (!existsSync(archive)) run('npm', ['pack', '--silent', `${name}@${version}`], directory);
  const seen = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (seen !== integrity) {
    rmSync(archive);
    throw new Error(`${name}@${version} is ${seen}, and ${integrity} in pnpm-lock.yaml`);
  }
  // From the archive that was compared, whatever lies there.
  rmSync(join(directory, 'package'), { recursive: true, force: true });
  run('tar', ['-xzf', archive, 'package/bin/node', 'package/LICENSE'], directory);
  return join(directory, 'package');
}
