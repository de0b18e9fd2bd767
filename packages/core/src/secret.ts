// A secret that is never shown. From a file it is read again whenever the file changes, so that rotation needs no restart.

import { readFileSync, statSync } from 'node:fs';
import { inspect } from 'node:util';

const redacted = '[redacted]';

export class Secret {
  readonly #read: () => string;
  /** The file it comes from, if any. */
  readonly file: string | undefined;

  private constructor(read: () => string, file?: string) {
    this.#read = read;
    this.file = file;
  }

  static of(value: string): Secret {
    return new Secret(() => value);
  }

  /** The file's text without one newline at its end. A stat per read; the content is read only after a change. */
  static fromFile(file: string): Secret {
    let seen = '';
    let value = '';
    return new Secret(() => {
      // Kubernetes swaps a symlink: the inode changes even when size and time do not.
      const { ino, mtimeMs, size } = statSync(file);
      const now = `${ino} ${mtimeMs} ${size}`;
      if (now !== seen) {
        value = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
        seen = now;
      }
      return value;
    }, file);
  }

  /** The current value. Throws when its file cannot be read. */
  read(): string {
    return this.#read();
  }

  /** Why it cannot be read or used, or undefined. */
  problem(): string | undefined {
    try {
      return this.#read() === '' ? 'is empty' : undefined;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return 'no such file';
      if (code === 'EACCES') return 'no permission to read it';
      if (code === 'EISDIR') return 'is a directory, a file is expected';
      return message;
    }
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}
