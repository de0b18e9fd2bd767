// What lies in an image, by its published layers: each layer is unpacked once, with owners and modes as they are in it.

import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import type { Scratch } from '@outrigger/core/testing';
import { type Architecture, blobOf, imageOf, layoutOf, version } from '@outrigger/images';

export type ImageFile = {
  /** Without a leading slash. */
  readonly path: string;
  readonly mode: number;
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  /** Of a symlink. */
  readonly target: string | undefined;
  readonly content: () => Buffer;
};

/** Unpacks layers below `scratch`. */
export function openImages(scratch: Scratch, out: string) {
  const unpacked = new Map<string, string>();

  /** The directory of one layer. */
  function layer(digest: string): string {
    const known = unpacked.get(digest);
    if (known) return known;
    const directory = scratch.join(digest.replace(':', '-'));
    mkdirSync(directory);
    const input = zstdDecompressSync(readFileSync(blobOf(layoutOf(out), digest)));
    execFileSync('tar', ['-xp', '--numeric-owner', '-C', directory], { input, timeout: 60_000 });
    unpacked.set(digest, directory);
    return directory;
  }

  const layersOf = (name: string, architecture: Architecture) =>
    imageOf(`${name}:${version}`, architecture, out).manifest.layers;

  return {
    layersOf,

    files(name: string, architecture: Architecture): ImageFile[] {
      return layersOf(name, architecture).flatMap(({ digest }) => {
        const root = layer(digest);
        return readdirSync(root, { recursive: true, encoding: 'utf8' }).map((path) => describe(root, path));
      });
    },

    /** All layers of one image, one over the other. */
    rootOf(name: string, architecture: Architecture): string {
      const root = scratch.join(`${name}-${architecture}`);
      mkdirSync(root);
      for (const { digest } of layersOf(name, architecture))
        execFileSync('cp', ['-a', `${layer(digest)}/.`, root], { timeout: 60_000 });
      return root;
    },
  };
}

function describe(root: string, path: string): ImageFile {
  const full = join(root, path);
  const stat = lstatSync(full);
  return {
    path,
    mode: stat.mode & 0o7777,
    isFile: stat.isFile(),
    isDirectory: stat.isDirectory(),
    target: stat.isSymbolicLink() ? readlinkSync(full) : undefined,
    content: () => readFileSync(full),
  };
}
