// The labels of an image: those that follow from the role's declarations, and where this build of it comes from.

import type { AnySidecar } from '@outrigger/core';
import { renderLabels } from '@outrigger/core/documents';
import { fileEpoch, isRole, type Role, type Target, version } from './images.ts';
import { git } from './run.ts';

const declarations: Readonly<Record<Role, () => Promise<{ readonly sidecar: AnySidecar }>>> = {
  monitor: () => import('@outrigger/monitor'),
  proxy: () => import('@outrigger/proxy'),
  'log-shipper': () => import('@outrigger/log-shipper'),
  adapter: () => import('@outrigger/adapter'),
  'git-sync': () => import('@outrigger/git-sync'),
  'config-reloader': () => import('@outrigger/config-reloader'),
};

const others: Readonly<Record<Exclude<Target, Role> | 'base', string>> = {
  base: 'Node.js and what it needs: what all images of the toolkit stand on',
  pause: 'Owns the network of a Compose file, and does nothing',
  'example-billing': 'The legacy application of the demo, and what makes its certificates and git repository',
};

export type Build = {
  /** What tags and names begin with: `outrigger`, or a registry's name and `/outrigger`. */
  readonly prefix: string;
  /** Address of the sources, if it is known. */
  readonly source: string | undefined;
  /** Of the base image as it is published. */
  readonly baseDigest: string | undefined;
};

export async function labelsOf(target: Target | 'base', build: Build): Promise<Readonly<Record<string, string>>> {
  const own = isRole(target)
    ? renderLabels((await declarations[target]()).sidecar)
    : {
        'org.opencontainers.image.title': `outrigger/${target}`,
        'org.opencontainers.image.description': others[target],
        'org.opencontainers.image.version': version,
      };
  return {
    ...own,
    'org.opencontainers.image.created': created().toISOString().replace('.000Z', 'Z'),
    'org.opencontainers.image.revision': revision(),
    ...(build.source && { 'org.opencontainers.image.source': build.source }),
    ...(build.baseDigest && {
      'org.opencontainers.image.base.name': `${build.prefix}/base:${version}`,
      'org.opencontainers.image.base.digest': build.baseDigest,
    }),
  };
}

export const revision = (): string => git('rev-parse', 'HEAD') ?? 'unknown';

/** SOURCE_DATE_EPOCH, the time of the commit, or that of the files. */
export function created(): Date {
  const written = process.env.SOURCE_DATE_EPOCH || git('log', '-1', '--format=%ct') || fileEpoch;
  const seconds = Number(written);
  if (!Number.isSafeInteger(seconds)) throw new Error(`SOURCE_DATE_EPOCH: seconds are expected, not "${written}"`);
  return new Date(seconds * 1000);
}
