// Where the files that are followed may really lie. Whoever writes to a directory of logs can put a link there, and need not
// be allowed to read what it leads to. What counts is what was opened: a name may lead elsewhere a moment later.

import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import { dirname, join, matchesGlob, relative, resolve } from 'node:path';
import type { Fault } from '@outrigger/core';
import { errors } from '../errors.ts';
import type { OwnFiles } from './own-files.ts';
import { realPath } from './real-path.ts';

export const linkRules = ['inside', 'follow', 'none'] as const;

export type LinkRule = (typeof linkRules)[number];

// Whatever may stand for several names, whether documented or not.
const magic = /[*?[\]{}\\]|[!+@]\(/;

// Without waiting: a FIFO of that name would hold up everything until somebody writes.
const flags = constants.O_RDONLY | constants.O_NONBLOCK;

// O_PATH, which Node does not name. Says where a file is without opening it: a device might do something, and closing a file
// again would end the lock that this process has on its own.
const placeOnly = 0o10000000;

export const openAny = (name: string): number => openSync(name, flags);

export type BoundsOptions = {
  readonly links: LinkRule;
  readonly patterns: readonly string[];
  readonly own: OwnFiles;
  /** Where files have second names. */
  readonly hold?: string | undefined;
};

/** A pattern, and the directory that the part of it before its first wildcard names. */
type Root = { readonly pattern: string; readonly directory: string };

export class Bounds {
  readonly #links: LinkRule;
  readonly #own: OwnFiles;
  readonly #roots: readonly Root[];
  readonly #hold: string | undefined;

  constructor({ links, patterns, own, hold }: BoundsOptions) {
    this.#own = own;
    this.#links = links;
    this.#roots = patterns.map((each) => {
      const pattern = resolve(each);
      return { pattern, directory: fixedPart(pattern) };
    });
    this.#hold = hold && resolve(hold);
  }

  /** @param path what the file of that name is called in records. Throws what opening it throws, or why it is refused. */
  open(name: string, path: string): number {
    const place = openSync(name, this.#links === 'none' ? placeOnly | constants.O_NOFOLLOW : placeOnly);
    try {
      const own = `/proc/self/fd/${place}`;
      const real = readlinkSync(own);
      if (this.#own.has(real)) throw refusal(name, `the log-shipper writes "${real}" itself`);
      if (!this.#isAllowed(real, name, path)) throw refusal(name, `it leads to "${real}"`);
      return openPlace(own, name);
    } finally {
      closeSync(place);
    }
  }

  #isAllowed(real: string, name: string, path: string): boolean {
    if (this.#links === 'follow') return true;
    return this.#directoriesFor(name, path).some((directory) => this.#isIn(directory, { real, name }));
  }

  /** Patterns are slow to compare: where there is no choice they are not. */
  #directoriesFor(name: string, path: string): readonly string[] {
    const near = this.#roots.filter(({ directory }) => isBelow(directory, path));
    const roots = near.length < 2 ? near : near.filter(({ pattern }) => pattern === path || matchesGlob(path, pattern));
    const directories = roots.map(({ directory }) => directory);
    return this.#hold === dirname(name) ? [...directories, this.#hold] : directories;
  }

  #isIn(directory: string, { real, name }: { real: string; name: string }): boolean {
    // Links to the directory itself or above it are the operator's. Where a real path goes through it there are none.
    const base = isBelow(directory, real) ? directory : realPath(directory);
    if (base === undefined) return false;
    if (this.#links === 'inside') return isBelow(base, real);
    // That its last name is no link is known, and it may have been given another one since.
    return isBelow(directory, name) && dirname(real) === dirname(join(base, relative(directory, name)));
  }
}

function fixedPart(pattern: string): string {
  const parts = dirname(pattern).split('/');
  const first = parts.findIndex((part) => magic.test(part));
  return parts.slice(0, first < 0 ? parts.length : first).join('/') || '/';
}

const isBelow = (directory: string, path: string): boolean =>
  path.startsWith(directory === '/' ? directory : `${directory}/`);

/** @param own what only this process calls it: it means what was looked at, whatever the name means by now. */
function openPlace(own: string, name: string): number {
  try {
    return openAny(own);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP') throw refusal(name, 'it is a link');
    throw Object.assign(new Error(message.replace(own, () => name)), { code });
  }
}

export const refusal = (path: string, reason: string): Fault => errors.LOG_SHIPPER_FILE_REFUSED({ path, reason });
