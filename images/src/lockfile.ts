// pnpm-lock.yaml: what is in the images comes from the registry only with the integrity that stands there.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from './images.ts';

type Lockfile = {
  readonly packages: Readonly<Record<string, { readonly resolution: { readonly integrity: string } }>>;
};

const { packages } = parse(readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8')) as Lockfile;

/** `sha512-` and base64. */
export function integrityOf(name: string, version: string): string {
  const locked = packages[`${name}@${version}`];
  if (!locked) throw new Error(`pnpm-lock.yaml has no ${name}@${version}`);
  return locked.resolution.integrity;
}

/** The one version of a package that has only one. */
export function versionOf(name: string): string {
  const [key, second] = Object.keys(packages).filter((each) => each.startsWith(`${name}@`));
  if (!key || second) throw new Error(`pnpm-lock.yaml has no single version of ${name}`);
  return key.slice(name.length + 1);
}
