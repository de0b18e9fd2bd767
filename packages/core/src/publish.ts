// Publishing: whoever reads sees the old or the new, never something between, also after a power cut.

import { hash, randomBytes } from 'node:crypto';
import { open, readdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** By path: until what a killed process left beside it is gone. */
const swept = new Map<string, Promise<void>>();

/**
 * A free name beside the path. The first time for a path what a killed process was writing is removed, so that restarts
 * do not fill the disk: a path has one process that publishes it. Of the path's own name there is only a hash in it, as
 * that may be as long as a name can be.
 */
async function temporary(path: string): Promise<string> {
  const prefix = `.${hash('sha256', basename(path)).slice(0, 12)}-`;
  const key = resolve(path);
  let sweeping = swept.get(key);
  if (!sweeping) {
    sweeping = sweep(dirname(path), prefix);
    swept.set(key, sweeping);
    // What could not be removed now is tried again the next time.
    sweeping.catch(() => swept.delete(key));
  }
  await sweeping;
  return join(dirname(path), `${prefix}${randomBytes(6).toString('hex')}.tmp`);
}

async function sweep(directory: string, prefix: string): Promise<void> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    // One may write into a directory without being allowed to list it.
    if (error.code === 'EACCES') return [];
    throw error;
  });
  for (const name of names)
    if (name.startsWith(prefix) && name.endsWith('.tmp')) await rm(join(directory, name), { force: true });
}

/** Writes beside the file, flushes, renames over it, flushes the directory. Rejects as the file system does. */
export async function publishFile(
  path: string,
  content: string | Uint8Array,
  { mode = 0o644 }: { mode?: number } = {},
): Promise<void> {
  const fresh = await temporary(path);
  try {
    const file = await open(fresh, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Makes `path` a symlink to `target` in one step. Rejects with EEXIST or EISDIR when a real directory is in the way. */
export async function publishLink(path: string, target: string): Promise<void> {
  const fresh = await temporary(path);
  await symlink(target, fresh);
  try {
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
