// Follows symbolic links step by step. The kernel would do it at once, but every directory on the way decides what the
// path means (`conf -> ..data/conf`, `..data -> ..2026_11_20`), so each of them has to be known to be watched.

import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** An entry of a directory that the meaning of a path depends on. It need not exist. */
export type Step = { readonly directory: string; readonly name: string };

/** As many links as the kernel follows before it says ELOOP. */
const mostLinks = 40;

/** Follows paths within one survey: a link that many files go through, such as `..data`, is read once. */
export class Follower {
  readonly #targets = new Map<string, string | undefined>();
  readonly #visit: (step: Step) => void;

  constructor(visit: (step: Step) => void) {
    this.#visit = visit;
  }

  /** The path without any links, or undefined when it is missing, dangling or a loop. */
  follow(from: string, path: string): string | undefined {
    const rest = path.split('/');
    let at = path.startsWith('/') ? '/' : from;
    let links = 0;
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        at = dirname(at);
        continue;
      }
      this.#visit({ directory: at, name });
      const target = this.#target(join(at, name));
      if (target === undefined) return undefined;
      if (target === '') {
        at = join(at, name);
        continue;
      }
      if (++links > mostLinks) return undefined;
      rest.unshift(...target.split('/'));
      if (target.startsWith('/')) at = '/';
    }
    return at;
  }

  #target(path: string): string | undefined {
    if (!this.#targets.has(path)) this.#targets.set(path, targetOf(path));
    return this.#targets.get(path);
  }
}

/** Where a link points to, the empty string for what is no link, undefined for what is not there. */
const targetOf = (path: string): string | undefined =>
  ifThere(() => {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats?.isSymbolicLink() ? readlinkSync(path) : stats && '';
  });

/** ENOTDIR: a file stands where a directory of the path was. ELOOP: links that go in a circle lead nowhere. */
const missing = ['ENOENT', 'ENOTDIR', 'ELOOP'];

export const isMissing = (error: unknown): boolean => missing.includes((error as NodeJS.ErrnoException).code ?? '');

/** What the call returns, undefined when what it is about is not there (any more). */
export function ifThere<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
