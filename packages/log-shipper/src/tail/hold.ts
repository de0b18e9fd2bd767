// Keeps what is not acknowledged yet from being removed: a second name for each followed file, in a directory of our own.
// A rotator that deletes takes its name away, not this one; it is there after a restart too.

import { linkSync, mkdirSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { formatSize, reasonOf } from '@outrigger/core';
import { errors } from '../errors.ts';
import type { FollowedFile } from './followed-file.ts';
import type { Surroundings } from './followed-files.ts';
import { type Found, lookIfThere } from './look.ts';
import { realPath } from './real-path.ts';

const longestName = 255;

export type HoldOptions = Pick<Surroundings, 'log'> & {
  /** On the file system that the files are on. */
  readonly directory: string;
  /** How many bytes may be kept that nobody else keeps. */
  readonly limit: number;
};

export class Hold {
  readonly #options: HoldOptions;
  readonly #trouble = new Set<string>();

  constructor(options: HoldOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  }

  /** Says what the file is called in records, should nobody else know any more; unless that is too long for a name. */
  #nameOf(key: string, path: string): string {
    const name = `${key.replace(':', '-')}.${Buffer.from(path).toString('base64url')}`;
    return join(this.#options.directory, name.length > longestName ? name.slice(0, name.indexOf('.')) : name);
  }

  /** A file that an earlier run has kept. */
  find(key: string, path: string): Found | undefined {
    const found = lookIfThere(this.#nameOf(key, path));
    return found?.key === key ? found : undefined;
  }

  /** As long as it has another name, it costs nothing. */
  take(file: FollowedFile): void {
    const name = this.#nameOf(file.key, file.account.path);
    try {
      const there = lookIfThere(name);
      if (there && there.key !== file.key) unlinkSync(name);
      // Of a link to it a second name would keep the link.
      if (there?.key !== file.key) linkSync(realPath(file.at) ?? file.at, name);
      if (lookIfThere(name)?.key === file.key) file.link = name;
      // Another one has its name since this moment.
      else remove(name);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      // Said once for each reason: another file system, no permission to link what belongs to others.
      if (code === 'ENOENT' || this.#trouble.has(code)) return;
      this.#trouble.add(code);
      this.#options.log.warn(errors.LOG_SHIPPER_NOT_HELD({ path: file.account.path, reason: reasonOf(error) }));
    }
  }

  release(file: FollowedFile): void {
    if (file.link === undefined) return;
    remove(file.link);
    file.link = undefined;
  }

  /** Lets go of the oldest of those that nobody else keeps, until they are within the limit. */
  trim(files: Iterable<FollowedFile>): void {
    const alone = [...files].filter(({ link, deleted }) => link !== undefined && deleted);
    let sum = alone.reduce((total, { account }) => total + account.size, 0);
    for (const file of alone) {
      if (sum <= this.#options.limit) return;
      sum -= file.account.size;
      const { path, size } = file.account;
      this.release(file);
      this.#options.log.warn(errors.LOG_SHIPPER_HOLD_FULL({ path, size: formatSize(size) }));
    }
  }

  /**
   * What nobody follows was left behind by a run that was killed. @param follow returns whether it is followed now: that
   * run may have had no time to write down that it did.
   */
  sweep(isFollowed: (key: string) => boolean, follow: (found: Found, path: string) => boolean): void {
    for (const entry of readdirSync(this.#options.directory)) {
      const [, encoded = ''] = /^\d+-\d+(?:\.([\w-]+))?$/.exec(entry) ?? [];
      const found = lookIfThere(join(this.#options.directory, entry));
      if (!found || isFollowed(found.key)) continue;
      const path = Buffer.from(encoded, 'base64url').toString();
      if (path === '' || !follow(found, path)) remove(found.path);
    }
  }
}

function remove(name: string): void {
  try {
    unlinkSync(name);
  } catch (error) {
    // Somebody has tidied up.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
