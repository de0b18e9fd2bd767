// What is at a path.

import { type BigIntStats, statSync } from 'node:fs';
import { type Generation, type Identity, keyOf } from '../ledger.ts';

/** A file at a name. */
export type Found = Generation & {
  readonly path: string;
  readonly identity: Identity;
  readonly key: string;
  readonly size: number;
  /** How many names it has. */
  readonly links: number;
};

/** What is at a path, undefined when there is nothing. Throws when it cannot be said, and for what is no file. */
export function look(path: string): Found | undefined {
  const stats = statusOf(path);
  if (!stats) return undefined;
  if (!stats.isFile()) throw new Error('not a regular file');
  const identity = { device: String(stats.dev), inode: String(stats.ino) };
  return {
    path,
    identity,
    key: keyOf(identity),
    modified: stats.mtimeNs,
    born: stats.birthtimeNs,
    size: Number(stats.size),
    links: Number(stats.nlink),
  };
}

function statusOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** One that cannot be looked at is compressed or removed this moment. */
export function lookIfThere(path: string): Found | undefined {
  try {
    return look(path);
  } catch {
    return undefined;
  }
}
