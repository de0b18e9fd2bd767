// Files that were rotated: <path>.<time>, and with .gz behind that once they are compressed. Whatever an earlier process
// has left undone is done by the next.

import { constants } from 'node:fs';
import { lstat, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

export type RotatedOptions = {
  readonly path: string;
  /** How many to keep. */
  readonly keep: number;
  readonly compress: 'gzip' | 'none';
  readonly signal: AbortSignal;
};

const time = /^\d{8}T\d{6}\.\d{3}Z(-\d+)?$/;

export class RotatedFiles {
  readonly #options: RotatedOptions;

  constructor(options: RotatedOptions) {
    this.#options = options;
  }

  /** Gives the file its name as a rotated one. */
  async add(): Promise<void> {
    const { path } = this.#options;
    const stamp = new Date().toISOString().replace(/[-:]/g, '');
    for (let number = 0; ; number++) {
      const name = `${path}.${stamp}${number === 0 ? '' : `-${number}`}`;
      if ((await exists(name)) || (await exists(`${name}.gz`))) continue;
      return await rename(path, name);
    }
  }

  /** Removes what is too much, compresses what is not. Takes its time. */
  async tidy(): Promise<void> {
    const { keep, compress, signal } = this.#options;
    const files = await this.#list();
    for (const { path } of files.slice(keep)) await rm(path, { force: true });
    if (compress === 'none') return;
    for (const { path, compressed } of files.slice(0, keep)) {
      if (signal.aborted) return;
      if (!compressed) await compressFile(path, signal);
    }
  }

  /** Newest first. */
  async #list(): Promise<{ path: string; compressed: boolean }[]> {
    const directory = dirname(this.#options.path);
    const prefix = `${basename(this.#options.path)}.`;
    const found: { path: string; stamp: string; compressed: boolean }[] = [];
    for (const name of await readdir(directory)) {
      if (!name.startsWith(prefix)) continue;
      const rest = name.slice(prefix.length);
      const path = join(directory, name);
      const stamp = rest.replace(/\.gz(\.tmp)?$/, '');
      if (!time.test(stamp)) continue;
      // A process was killed while it compressed it: the file itself is still there.
      if (rest.endsWith('.tmp')) await rm(path, { force: true });
      else found.push({ path, stamp, compressed: rest.endsWith('.gz') });
    }
    return found.sort((a, b) => (a.stamp < b.stamp ? 1 : -1));
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** In the thread pool, piece by piece. The file goes when all of it is on the disk in its new form. */
async function compressFile(path: string, signal: AbortSignal): Promise<void> {
  const temporary = `${path}.gz.tmp`;
  const create = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    await using from = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    await using to = await open(temporary, create, 0o640);
    await pipeline(from.createReadStream(), createGzip({ level: 1 }), to.createWriteStream({ flush: true }), {
      signal,
    });
    await rename(temporary, `${path}.gz`);
    await rm(path);
  } catch (error) {
    await rm(temporary, { force: true });
    if (!signal.aborted) throw error;
  }
}
