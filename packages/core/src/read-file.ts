// A file that somebody else writes: bounded, never waited for, and what is wrong with it in words for people.

import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { formatSize } from './parameters/units.ts';

/** What a ConfigMap or Secret can hold. */
export const mostBytes = 1024 * 1024;

/** All of it. Throws as the file system does, or an Error that says why it cannot be read; see reasonOfFile. */
export function readBounded(file: string, limit = mostBytes): Buffer {
  // Opening a pipe without a writer would wait for ever, and what it said once it would not say again.
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) throw new Error('is a directory, a file is expected');
    if (!stat.isFile()) throw new Error('is no regular file');
    // One more than it holds, to see its end at once; it may also grow meanwhile, and those of /proc have no size.
    const bytes = Buffer.allocUnsafe(limit + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length <= limit; length += read)
      read = readSync(descriptor, bytes, length, bytes.length - length, null);
    if (length > limit) throw new Error(`is larger than ${formatSize(limit)}`);
    return Buffer.from(bytes.subarray(0, length));
  } finally {
    closeSync(descriptor);
  }
}

/** The same, as text. */
export function readText(file: string, limit?: number): string {
  const bytes = readBounded(file, limit);
  if (!isUtf8(bytes)) throw new Error('is no UTF-8 text');
  return bytes.toString('utf8');
}

/** Why a file cannot be read. */
export function reasonOfFile({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'no permission to read it';
  if (code === 'EISDIR') return 'is a directory, a file is expected';
  if (code === 'ELOOP') return 'too many symbolic links';
  return message;
}
