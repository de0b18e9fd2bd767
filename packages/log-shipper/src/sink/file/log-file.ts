// The file that is being written to: whole lines are added to it, or nothing.

import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { dirname } from 'node:path';

// Never through a symlink: whoever may write into the directory must not choose what is written to. A pipe is not waited for.
const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const mode = 0o640;
const newline = 0x0a;

export class LogFile implements AsyncDisposable {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #device: number;
  readonly #inode: number;
  /** Milliseconds since the epoch. */
  readonly born: number;
  size: number;
  /** The last line has no end: a process was killed in the middle of it. */
  #torn: boolean;

  static async open(path: string): Promise<LogFile> {
    const file = await open(path, flags, mode);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw new Error(`"${path}" is no regular file`);
      return new LogFile({ path, file, stat, torn: stat.size > 0 && (await lastByte(file, stat.size)) !== newline });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  private constructor({ path, file, stat, torn }: { path: string; file: FileHandle; stat: Stats; torn: boolean }) {
    this.#path = path;
    this.#file = file;
    this.#device = stat.dev;
    this.#inode = stat.ino;
    // Not every file system knows when a file was made.
    this.born = stat.birthtimeMs || Date.now();
    this.size = stat.size;
    this.#torn = torn;
  }

  /** Whether the path still leads to it: others may rotate, too. */
  async isCurrent(): Promise<boolean> {
    try {
      const { dev, ino, size } = await lstat(this.#path);
      this.size = size;
      return dev === this.#device && ino === this.#inode;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }

  /** What could be written in part only, as on a full disk, is taken back. */
  async append(lines: Buffer, { sync }: { sync: boolean }): Promise<void> {
    const { size } = this;
    try {
      if (this.#torn) await this.#write(Buffer.of(newline));
      await this.#write(lines);
      if (sync) await this.#file.datasync();
      this.#torn = false;
    } catch (error) {
      await this.#file.truncate(size);
      this.size = size;
      throw error;
    }
  }

  async #write(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, at);
      at += bytesWritten;
      this.size += bytesWritten;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file.close();
  }
}

async function lastByte(file: FileHandle, size: number): Promise<number | undefined> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0];
}

/** A new name survives a power cut once its directory is on the disk. */
export async function syncDirectoryOf(path: string): Promise<void> {
  await using directory = await open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  await directory.sync();
}
