// One shipper per state directory. The lock is the kernel's: it ends with its holder, however that dies, and holds across
// containers, where process ids say nothing. Node has no call for it; its SQLite does, and nothing is stored there.

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ParameterConflict, reasonOf } from '@outrigger/core';
import { errors } from './errors.ts';

export const lockName = 'lock';

/**
 * Holds the lock until it is disposed. Throws a LOG_SHIPPER_STATE_FULL, a ParameterConflict when somebody else holds it, or
 * an Error that says why it cannot be had.
 */
export function lockDirectory(directory: string): Disposable {
  const path = join(directory, lockName);
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(path, { timeout: 0 });
    // Without a journal nothing is written beside the empty lock file.
    lock.exec('PRAGMA journal_mode = OFF; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    // Half a lock would stand in the way of the next attempt.
    lock?.close();
    throw refusal(error as Error & { errcode?: number }, { path, directory });
  }
  return { [Symbol.dispose]: () => lock.close() };
}

function refusal(error: Error & { errcode?: number }, { path, directory }: { path: string; directory: string }): Error {
  if (error.errcode === busy) return new ParameterConflict('stateDirectory', inUse, { cause: error });
  if (error.errcode === full) return errors.LOG_SHIPPER_STATE_FULL({ path: directory }, error);
  return new Error(`"${path}" cannot be locked: ${reasonOf(error)}`, { cause: error });
}

const inUse = 'another log-shipper is using it; each needs a directory of its own';
const busy = 5;
const full = 13;
