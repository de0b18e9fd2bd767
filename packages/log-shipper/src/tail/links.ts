// Where symbolic links lead to: what is written there is not told where the link is.

import { lstatSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import type { FollowedFile } from './followed-file.ts';

export class Links {
  readonly #targets = new Map<string, FollowedFile>();

  /** Remembers where the file really is, if its name is a link. */
  add(file: FollowedFile): void {
    const target = targetOf(file.name);
    if (target === undefined) return;
    this.#targets.set(target, file);
    file.account.target = target;
  }

  remove(file: FollowedFile): void {
    for (const [target, each] of this.#targets) if (each === file) this.#targets.delete(target);
  }

  /** Which file has its bytes there. */
  at(path: string): FollowedFile | undefined {
    return this.#targets.get(path);
  }

  *in(directory: string): Generator<FollowedFile> {
    for (const [path, file] of this.#targets) if (dirname(path) === directory) yield file;
  }

  get directories(): Set<string> {
    return new Set(this.#targets.keys().map((path) => dirname(path)));
  }
}

/** Where a name leads to, if it is a link. */
export function targetOf(name: string): string | undefined {
  try {
    return lstatSync(name).isSymbolicLink() ? realpathSync(name) : undefined;
  } catch (error) {
    // Renamed this moment; whatever is at that name next is another file.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
