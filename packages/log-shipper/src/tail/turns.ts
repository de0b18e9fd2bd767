// Who is told that a file has something to read.

import type { FollowedFile } from './followed-file.ts';
import type { FollowedFiles } from './followed-files.ts';
import { Ready } from './ready.ts';

export class Turns {
  readonly #files: FollowedFiles;
  readonly #readers = new Set<Ready>();
  readonly #unsettled = new Set<FollowedFile>();

  constructor(files: FollowedFiles) {
    this.#files = files;
  }

  /** Everything there is may have something for a new reader. */
  listen(): Ready {
    const ready = new Ready(this.#files.lineages, () => this.#readers.delete(ready));
    this.#readers.add(ready);
    return ready;
  }

  offer({ lineage: name }: FollowedFile): void {
    const lineage = this.#files.lineage(name);
    if (lineage) for (const ready of this.#readers) ready.add(lineage);
  }

  /** A reader has been at it: what it did not take may be taken later, though nothing comes to it. Returns whether there is any. */
  left(file: FollowedFile): boolean {
    if (file.unsettled) this.#unsettled.add(file);
    return file.unsettled;
  }

  /** Offers again what was left, since time alone may make a difference. Returns whether there is any. */
  remind(): boolean {
    for (const file of this.#unsettled) {
      if (file.closed || !file.unsettled) this.#unsettled.delete(file);
      else this.offer(file);
    }
    return this.#unsettled.size > 0;
  }

  /** What is left now can be taken as the last there is. */
  end(): void {
    for (const file of this.#files) this.offer(file);
    for (const ready of this.#readers) ready.ring();
  }
}
