// Publishing: whoever reads sees the old or the new, never something between, also after a power cut.

import { randomBytes } from 'node:crypto';
import { open, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const temporary = (path: string) => join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`);

/** Writes beside the file, flushes, renames over it, flushes the directory. Rejects as the file system does. */
export async function publishFile(
  path: string,
  content: string | Uint8Array,
  { mode = 0o644 }: { mode?: number } = {},
): Promise<void> {
  const fresh = temporary(path);
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
  const fresh = temporary(path);
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
