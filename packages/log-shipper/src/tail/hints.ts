// The kernel tells that something has changed in a directory. Only ever a hint to look at once: where it tells nothing (a
// network file system, no room for more watches) or too much, the next regular look finds the same.

import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '@outrigger/core';

export type Told = {
  /** A file of that path was written to. */
  readonly written: (path: string) => void;
  /** Names were given, changed or removed there. */
  readonly named: () => void;
  /** Nothing is told about what happens there. */
  readonly deaf: (directory: string, reason: string) => void;
};

// One event a write is cheaper than looking in vain, as long as there are not thousands of them a second. Then looking at
// fixed times is.
const mostEvents = 128;

/** The kernel keeps a list for each user; others need it too. */
const mostDirectories = 4096;

type Ear = { watcher: FSWatcher; events: number };

export class Hints implements Disposable {
  readonly #told: Told;
  readonly #ears = new Map<string, Ear>();
  readonly #deaf = new Set<string>();
  #muted = new Set<string>();
  #wanted: ReadonlySet<string> = new Set();

  constructor(told: Told) {
    this.#told = told;
  }

  /** Listens there and nowhere else from now on. */
  listen(directories: ReadonlySet<string>): void {
    this.#wanted = directories;
    for (const directory of this.#ears.keys()) if (!directories.has(directory)) this.#stop(directory);
    for (const directory of directories) this.#hear(directory);
  }

  #hear(directory: string): void {
    if (this.#ears.has(directory) || this.#muted.has(directory) || this.#ears.size >= mostDirectories) return;
    try {
      const watcher = watch(directory, { persistent: false });
      const ear: Ear = { watcher, events: 0 };
      watcher.on('change', (event, name) => this.#heard(directory, ear, { event, name: name && String(name) }));
      // Whatever it is, the next look at names listens again.
      watcher.on('error', () => this.#stop(directory));
      this.#ears.set(directory, ear);
      this.#deaf.delete(directory);
    } catch (error) {
      // Nothing there yet is no trouble; the rest is said once.
      const said = this.#deaf.has(directory) || (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!said) this.#told.deaf(directory, reasonOf(error));
      this.#deaf.add(directory);
    }
  }

  #heard(directory: string, ear: Ear, { event, name }: { event: string; name: string | null }): void {
    ear.events++;
    if (event === 'change' && name !== null) this.#told.written(join(directory, name));
    else this.#told.named();
    // Its own removal is told too, and it cannot be told from a child of its name: it is listened to anew by the next look.
    if (event === 'rename' && name !== null && directory.endsWith(`/${name}`)) this.#stop(directory);
  }

  #stop(directory: string): void {
    this.#ears.get(directory)?.watcher.close();
    this.#ears.delete(directory);
  }

  /** Directories from where more came since the last call than is worth hearing are not listened to until `unmute`. */
  mute(): ReadonlySet<string> {
    for (const [directory, ear] of this.#ears) {
      if (ear.events > mostEvents) {
        this.#stop(directory);
        this.#muted.add(directory);
      }
      ear.events = 0;
    }
    return this.#muted;
  }

  unmute(directory: string): void {
    this.#muted.delete(directory);
    if (this.#wanted.has(directory)) this.#hear(directory);
  }

  [Symbol.dispose](): void {
    this.#wanted = new Set();
    this.#muted = new Set();
    for (const directory of [...this.#ears.keys()]) this.#stop(directory);
  }
}
