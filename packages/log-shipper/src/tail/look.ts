// What is at a path.

import { type BigIntStats, statSync } from 'node:fs';
import { type Generation, type Identity, keyOf } from '../ledger.ts';
import { refusal } from './bounds.ts';

/** A file at a name. */
export type Found = Generation & {
  readonly path: string;
  readonly identity: Identity;
  readonly key: string;
  readonly size: number;
  /** How many names it has. */
  readonly links: number;
};

/** Where a file was expected. */
export class DirectoryError extends Error {
  constructor(path: string) {
    super(`it is a directory; files in it are named by ${path}/*.log, for example`);
  }
}

/**
 * What is at a path, undefined when there is nothing. Throws when it cannot be said, and for what is no file. @param status
 * `lstatSync` where a link is no file either.
 */
export function look(path: string, status: typeof statSync = statSync): Found | undefined {
  const stats = statusOf(path, status);
  if (!stats) return undefined;
  if (stats.isSymbolicLink()) throw refusal(path, 'it is a link');
  if (stats.isDirectory()) throw new DirectoryError(path);
  if (!stats.isFile()) throw new Error('it is no regular file');
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

function statusOf(path: string, status: typeof statSync): BigIntStats | undefined {
  try {
    return status(path, { bigint: true, throwIfNoEntry: false });
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
