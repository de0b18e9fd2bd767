// Open files, no more of them than the process may have. A file at rest gives its handle back and is opened again when it
// is needed; one that could not be found again keeps it.

import { closeSync, readFileSync } from 'node:fs';
import { openAny } from './bounds.ts';

/** Whoever holds a handle. */
export type Holder = {
  /**
   * What becomes of the file while it is closed. At rest: everything of it is acknowledged. Reopenable: there is more to
   * read, under a name it can be opened by. Otherwise the handle is all there is of it.
   */
  readonly hold: 'at rest' | 'reopenable' | 'needed';
  /** Gives the handle back. */
  letGo(): void;
};

// For everything else that a process opens: sockets, pipes, its own files.
const others = 64;

// More files than this are seldom written to at once, and opening one again costs some microseconds.
const mostAtRest = 1024;

// Those that cannot be closed are passed over, but not all of them for each file that is opened.
const looks = 32;

/** How many files the process may have open at once. */
export function fileLimit(): number {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? mostAtRest);
}

export class Handles {
  readonly #most: number;
  readonly #open: (name: string, path: string) => number;
  // The one that was used last is the last one.
  readonly #holders = new Set<Holder>();

  /** @param open opens a file, or throws. @param limit of the whole process. */
  constructor(open: (name: string, path: string) => number = openAny, limit = fileLimit()) {
    this.#open = open;
    this.#most = Math.max(8, Math.min(limit - others, Math.floor(limit * 0.8)));
  }

  /** How many are open. */
  get size(): number {
    return this.#holders.size;
  }

  /** Files that are only held in case somebody writes to them have to go. */
  get scarce(): boolean {
    return this.#holders.size >= this.#most;
  }

  /** @param path what it is called in records. Throws what opening it throws. */
  open(name: string, path: string): number {
    if (this.scarce) this.#makeRoom();
    return this.withRoom(() => this.#open(name, path));
  }

  /** Does what needs a handle: once more, where there was none left and one could be given back. Throws what it throws. */
  withRoom<Made>(make: () => Made): Made {
    try {
      return make();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if ((code !== 'EMFILE' && code !== 'ENFILE') || !this.#makeRoom()) throw error;
      return make();
    }
  }

  /** Closes files at rest, those first that have not been used for longest, until no more are open than is worth it. */
  trim(): void {
    if (this.size <= mostAtRest) return;
    for (const holder of [...this.#holders]) {
      if (this.size <= mostAtRest) return;
      if (holder.hold === 'at rest') holder.letGo();
    }
  }

  used(holder: Holder): void {
    this.#holders.delete(holder);
    this.#holders.add(holder);
  }

  close(holder: Holder, handle: number): void {
    this.#holders.delete(holder);
    closeSync(handle);
  }

  /** Closes one at rest, or one that can be opened again, which has not been used for long. Returns whether there was one. */
  #makeRoom(): boolean {
    let looked = 0;
    let spare: Holder | undefined;
    for (const holder of this.#holders) {
      const { hold } = holder;
      if (hold === 'reopenable') spare ??= holder;
      if (hold === 'at rest') spare = holder;
      if (hold === 'at rest' || ++looked >= looks) break;
      // At the end, it is not looked at again soon.
      if (hold === 'needed') this.used(holder);
    }
    spare?.letGo();
    return spare !== undefined;
  }
}
