// One shipper per state directory. The lock is the kernel's: it ends with its holder, however that dies, and holds across
// containers, where process ids say nothing. Node has no call for it; its SQLite does, and nothing is stored there.

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { reasonOf } from '@outrigger/core';
import { errors } from './errors.ts';

export const lockName = 'lock';

/** Holds the lock until it is disposed. Throws a LOG_SHIPPER_STATE_FULL, or an Error that says why it cannot be had. */
export function lockDirectory(directory: string): Disposable {
  const path = join(directory, lockName);
  try {
    const lock = new DatabaseSync(path, { timeout: 0 });
    // Without a journal nothing is written beside the empty lock file.
    lock.exec('PRAGMA journal_mode = OFF; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return { [Symbol.dispose]: () => lock.close() };
  } catch (error) {
    if ((error as { errcode?: number }).errcode === busy)
      throw new Error('another log-shipper is using it; each needs a directory of its own', { cause: error });
    if ((error as { errcode?: number }).errcode === full)
      throw errors.LOG_SHIPPER_STATE_FULL({ path: directory }, error);
    throw new Error(`"${path}" cannot be locked: ${reasonOf(error)}`, { cause: error });
  }
}

const busy = 5;
const full = 13;
