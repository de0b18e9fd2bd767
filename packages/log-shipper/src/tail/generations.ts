// Finding a file again, or for the first time, under the name that rotation gave it.

import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Found, look } from './paths.ts';

// app.log.1, app.log-20261120, app.log.2026-11-20T10:00, app.log.old. Whatever else begins with the same name is another log.
const suffix = /^[.\-_](\d[\dT:Z.\-_]*|old|prev)$/;

/** Whether a path is what rotation makes of another one. */
export function isGeneration(path: string, of: string): boolean {
  return path.startsWith(of) && suffix.test(path.slice(of.length));
}

/**
 * The files under rotated names of a path, in the order in which rotation passes them on, app.log.1 before app.log.2:
 * whatever is renamed meanwhile is met again further on, so that no file slips through.
 */
export async function* generations(path: string): AsyncGenerator<Found> {
  for (const name of await namesBeside(path))
    if (isGeneration(name, path) && numberOf(name, path) === 0) yield* lookAt(name);
  let next = 1;
  // A listing may miss a name that is given while it is made, hence two that agree on the end.
  for (let ends = 0; ends < 2; ) {
    const last = Math.max(0, ...(await namesBeside(path)).map((name) => numberOf(name, path)));
    ends = last < next ? ends + 1 : 0;
    for (; next <= last; next++) yield* lookAt(`${path}.${next}`);
  }
}

/** One that cannot be looked at is compressed or removed this moment. */
async function* lookAt(name: string): AsyncGenerator<Found> {
  const found = await look(name).catch(() => undefined);
  if (found) yield found;
}

/** A file beside a path, by its identity: under a rotated name, or any other. */
export async function findBeside(path: string, key: string): Promise<Found | undefined> {
  for await (const found of generations(path)) if (found.key === key) return found;
  for (const name of await namesBeside(path)) {
    const found = await look(name).catch(() => undefined);
    if (found?.key === key) return found;
  }
  return undefined;
}

async function namesBeside(path: string): Promise<string[]> {
  const directory = dirname(path);
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => name !== basename(path)).map((name) => join(directory, name));
}

/** Of two names, which belongs to the older file: app.log.2 comes before app.log.1, and that before app.log. */
export const byName = (a: string, b: string): number => number(b) - number(a) || (a < b ? -1 : 1);

/** Oldest first. Ticks of the clock are coarse, so names decide between files of one tick. */
export const byAge = (a: Found, b: Found): number => Number(a.modified - b.modified) || byName(a.path, b.path);

const number = (path: string): number => Number(/\.(\d{1,6})$/.exec(path)?.[1] ?? 0);

/** 3 for app.log.3 of app.log, 0 for what is not numbered. */
const numberOf = (path: string, of: string): number =>
  path.startsWith(`${of}.`) && /^[1-9]\d{0,3}$/.test(path.slice(of.length + 1)) ? number(path) : 0;
