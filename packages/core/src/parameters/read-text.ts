// A file that a parameter names, as text: bounded, and what is wrong in words for people.

import { isUtf8 } from 'node:buffer';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** What a ConfigMap can hold. */
const limit = 1024 * 1024;

/** Throws an Error whose message says what is wrong with the file. */
export async function readText(file: string): Promise<string> {
  try {
    // Opening a pipe without a writer would wait for ever.
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await handle.stat();
    if (stat.isDirectory()) throw new Error('is a directory, a file is expected');
    if (!stat.isFile()) throw new Error('is no regular file');
    const bytes = Buffer.allocUnsafe(limit + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length <= limit; length += read)
      read = (await handle.read(bytes, length, bytes.length - length)).bytesRead;
    if (length > limit) throw new Error('is larger than 1MiB');
    const text = bytes.subarray(0, length);
    if (!isUtf8(text)) throw new Error('is no UTF-8 text');
    return text.toString('utf8');
  } catch (error) {
    throw new Error(reasonOfFile(error as NodeJS.ErrnoException));
  }
}

/** Why a file cannot be read. */
export function reasonOfFile({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'no permission to read it';
  if (code === 'EISDIR') return 'is a directory, a file is expected';
  if (code === 'ELOOP') return 'too many symbolic links';
  return message;
}
