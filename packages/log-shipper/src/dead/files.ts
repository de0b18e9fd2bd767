// Where dead letters lie: dead/<UTC date>.ndjson, and further files of the same day as <date>.<number>.ndjson. What a replay
// has delivered of a file is marked in a file beside it.

import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

export const directoryName = 'dead';

export type DeadFile = {
  readonly path: string;
  readonly date: string;
  /** 0 for the first of its day. */
  readonly number: number;
  /** Its marks included. */
  readonly bytes: number;
};

export const marksOf = (path: string): string => `${path}.done`;

export const pathOf = (directory: string, date: string, number: number): string =>
  join(directory, number === 0 ? `${date}.ndjson` : `${date}.${number}.ndjson`);

const named = /^(\d{4}-\d\d-\d\d)(?:\.(\d{1,9}))?\.ndjson$/;

/** Oldest first. */
export async function deadFiles(directory: string): Promise<DeadFile[]> {
  const files: DeadFile[] = [];
  for (const name of await readdir(directory)) {
    const [, date, number = '0'] = named.exec(name) ?? [];
    if (date === undefined) continue;
    const path = join(directory, name);
    const bytes = (await sizeOf(path)) + (await sizeOf(marksOf(path)));
    files.push({ path, date, number: Number(number), bytes });
  }
  return files.sort((a, b) => (a.date === b.date ? a.number - b.number : a.date < b.date ? -1 : 1));
}

/** What is gone, or no file, takes no room. */
async function sizeOf(path: string): Promise<number> {
  try {
    const stat = await lstat(path);
    return stat.isFile() ? stat.size : 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

/** The letters first: marks without letters do no harm, letters without marks would be sent again. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(marksOf(path), { force: true });
}

/** Makes the directory where it is not there. Letters may hold what only the shipper's user should see. */
export async function makeDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // A symlink would let whoever may write here choose where letters go.
  if (!(await lstat(directory)).isDirectory()) throw new Error(`"${directory}" is not a directory`);
}

/** Adds whole lines to a file and returns when they are on the disk. What could be written in part only is taken back. */
export async function append(path: string, lines: Buffer): Promise<void> {
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  await using file = await open(path, flags, 0o600);
  const stat = await file.stat();
  if (!stat.isFile()) throw new Error(`"${path}" is no regular file`);
  const torn = stat.size > 0 && !(await endsWithNewline(file, stat.size));
  try {
    await writeAll(file, torn ? Buffer.concat([newline, lines]) : lines);
    await file.datasync();
  } catch (error) {
    await file.truncate(stat.size);
    throw error;
  }
}

const newline = Buffer.of(0x0a);

/** A process that was killed in the middle of a line must not spoil the next one, too. */
async function endsWithNewline(file: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}

/** A new name in a directory survives a power cut only once the directory is on the disk, too. */
export async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  await handle.sync();
}
