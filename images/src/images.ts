// What is built, for which architectures, and where it lies.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const dist = join(root, 'images/dist');

export const roles = ['monitor', 'proxy', 'log-shipper', 'adapter', 'git-sync', 'config-reloader'] as const;
/** Programs of this repository, each as one file, on the same base. */
export const bundles = [...roles, 'example-billing'] as const;
export const targets = [...bundles, 'pause'] as const;
export type Role = (typeof roles)[number];
export type Bundle = (typeof bundles)[number];
export type Target = (typeof targets)[number];

/** As Debian and OCI call it: what npm and binutils call it. */
export const architectures = {
  amd64: { npm: 'x64', binutils: 'x86-64-linux-gnu' },
  arm64: { npm: 'arm64', binutils: 'aarch64-linux-gnu' },
} as const;
export type Architecture = keyof typeof architectures;

export const isRole = (name: string): name is Role => (roles as readonly string[]).includes(name);
export const isBundle = (name: string): name is Bundle => (bundles as readonly string[]).includes(name);
export const isTarget = (name: string): name is Target => (targets as readonly string[]).includes(name);
export const isArchitecture = (name: string): name is Architecture => name in architectures;

const found = Object.entries(architectures).find(([, { npm }]) => npm === process.arch);
/** What this machine runs. */
export const hostArchitecture = found?.[0] as Architecture | undefined;

/** Of the toolkit, of each role and of each image. */
export const version: string = JSON.parse(readFileSync(join(root, 'packages/core/package.json'), 'utf8')).version;

/** Times of all files and of the images themselves: a layer that did not change is not pulled again after each commit. */
export const fileEpoch = 1_767_225_600;
