// A secret that is never shown. From a file it is read again whenever the file changes, so that rotation needs no restart.

import { type StatsBase, statSync } from 'node:fs';
import { inspect } from 'node:util';
import { readText, reasonOfFile } from './read-file.ts';

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
    const line = withoutNewline(value);
    return new Secret(() => checked(line));
  }

  /**
   * The file's one line. A stat per read; the content is read only after a change, once the file has been still for a
   * tenth of a second, since it may be half written. A file that goes missing, empty or wrong later on is taken for one
   * that is being replaced: the last value serves for another minute after that is first noticed.
   */
  static fromFile(file: string): Secret {
    const watched = new SecretFile(file);
    return new Secret(() => watched.read(), file);
  }

  /** The current value: one line, not empty. Throws when there is none to be had. */
  read(): string {
    return this.#read();
  }

  /** Why it cannot be read or used, or undefined. */
  problem(): string | undefined {
    try {
      this.#read();
      return undefined;
    } catch (error) {
      return reasonOfFile(error as NodeJS.ErrnoException);
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

const limit = 64 * 1024;
const stillness = 100;
const patience = 60_000;

class SecretFile {
  readonly #file: string;
  #seen = '';
  #value: string | undefined;
  #failingSince: number | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  read(): string {
    try {
      this.#value = this.#current();
      this.#failingSince = undefined;
      return this.#value;
    } catch (error) {
      this.#failingSince ??= performance.now();
      if (this.#value === undefined || performance.now() - this.#failingSince > patience) throw error;
      return this.#value;
    }
  }

  #current(): string {
    const stat = statSync(this.#file, { bigint: true });
    // Kubernetes swaps a symlink: the inode changes even when size and time do not.
    const now = `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
    if (this.#value !== undefined && (now === this.#seen || isBeingWritten(stat))) return this.#value;
    const value = checked(withoutNewline(readText(this.#file, limit)));
    this.#seen = now;
    return value;
  }
}

function isBeingWritten({ mtimeMs }: StatsBase<bigint>): boolean {
  const age = Date.now() - Number(mtimeMs);
  // A time to come says nothing.
  return age >= 0 && age < stillness;
}

const withoutNewline = (text: string) => text.replace(/\r?\n$/, '');

/** Headers are made of it, and protocols of lines: what breaks a line would be taken for something else. */
function checked(line: string): string {
  if (line === '') throw new Error('is empty');
  if (/[\0\r\n]/.test(line)) throw new Error('holds a line break or a NUL byte inside, one line is expected');
  return line;
}
