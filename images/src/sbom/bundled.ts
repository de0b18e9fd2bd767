// The packages that esbuild took modules from, by its metafile.

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from '../images.ts';
import { integrityOf } from '../lockfile.ts';

export type BundledPackage = {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly licence: string;
  readonly integrity: string;
  readonly folder: string;
};

type Metafile = {
  readonly outputs: Readonly<Record<string, { readonly inputs: Readonly<Record<string, { bytesInOutput: number }>> }>>;
};

/** Those of which at least a byte is in the output, by name. */
export function bundledPackages(metafile: string): BundledPackage[] {
  const { outputs } = JSON.parse(readFileSync(metafile, 'utf8')) as Metafile;
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const paths = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
  const folders = new Set(paths.flatMap((path) => folderOf(path) ?? []));
  return [...folders].map(describe).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

const keyOf = ({ name, version }: BundledPackage) => `${name}@${version}`;

/** Where the package lies: the last node_modules on the path, whose names in pnpm's store are the same from anywhere. */
function folderOf(path: string): string | undefined {
  const found = /node_modules\/\.pnpm\/[^/]+\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path);
  return found ? resolve(root, found[0]) : undefined;
}

function describe(folder: string): BundledPackage {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return { name, version, licence: String(license), integrity: integrityOf(name, version), folder };
}
