// Opening a file again that had to be closed: by its identity, for its name may have passed to another.

import { closeSync, fstatSync } from 'node:fs';
import { keyOf } from '../ledger.ts';
import type { Handles } from './handles.ts';
import type { Found } from './look.ts';

type Sought = {
  readonly key: string;
  /** What it is called in records. */
  readonly path: string;
  readonly handles: Handles;
  /** Under which name it is now. */
  readonly find: () => Found | undefined;
};

/** It may be renamed between the look and the opening, and again. One that is not caught so often is not gone either. */
const attempts = 16;

/** Throws an ENOENT when it cannot be found. */
export function reopen(sought: Sought): { readonly handle: number; readonly at: string } {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const found = sought.find();
    if (!found) throw Object.assign(new Error('it is gone'), { code: 'ENOENT' });
    const handle = openAs(found.path, sought);
    if (handle !== undefined) return { handle, at: found.path };
  }
  throw new Error('it is renamed again and again');
}

/** Undefined when the name is another file's by now, or nobody's. */
function openAs(name: string, { key, path, handles }: Sought): number | undefined {
  let handle: number;
  try {
    handle = handles.open(name, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { dev, ino } = fstatSync(handle, { bigint: true });
  if (keyOf({ device: String(dev), inode: String(ino) }) === key) return handle;
  closeSync(handle);
  return undefined;
}
