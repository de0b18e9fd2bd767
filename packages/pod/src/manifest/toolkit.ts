// The roles of the toolkit: which image is which, where its program is, what it declares.

import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AnySidecar } from '@outrigger/core';

type Declaration = Promise<{ readonly sidecar: AnySidecar }>;

/** Loaded only when a manifest has the role: some cost tens of milliseconds. */
const declarations = {
  proxy: (): Declaration => import('@outrigger/proxy'),
  'log-shipper': (): Declaration => import('@outrigger/log-shipper'),
  adapter: (): Declaration => import('@outrigger/adapter'),
  'git-sync': (): Declaration => import('@outrigger/git-sync'),
  'config-reloader': (): Declaration => import('@outrigger/config-reloader'),
  monitor: (): Declaration => import('@outrigger/monitor'),
};

export type Role = keyof typeof declarations;

export const roles = Object.keys(declarations) as readonly Role[];

/** What follows `outrigger/` in an image's name, whatever its registry, tag or digest. */
export function toolkitName(image: string | undefined): string | undefined {
  return /(?:^|\/)outrigger\/([^/:@]+)(?::[^/@]+)?(?:@[^/]+)?$/.exec(image ?? '')?.[1];
}

export function roleOf(image: string | undefined): Role | undefined {
  const name = toolkitName(image);
  return roles.find((role) => role === name);
}

export const declarationOf = async (role: Role): Promise<AnySidecar> => (await declarations[role]()).sidecar;

/** The file that an image of the role has on its path as `sidecar`. */
export function programOf(role: Role): string {
  const entry = import.meta.resolve(`@outrigger/${role}`);
  // TypeScript here, JavaScript in a published package.
  return fileURLToPath(new URL(`./main${extname(entry)}`, entry));
}
