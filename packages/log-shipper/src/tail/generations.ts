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
  const names = await namesBeside(path);
  const numbers = names.map((name) => numberOf(name, path)).filter((number) => number !== undefined);
  const others = names.filter((name) => isGeneration(name, path) && numberOf(name, path) === undefined);
  const last = numbers.length > 0 ? Math.max(...numbers) + furtherOn : 0;
  const numbered = Array.from({ length: last }, (_, index) => `${path}.${index + 1}`);
  for (const name of [...others, ...numbered]) {
    // One that cannot be looked at is compressed or removed this moment.
    const found = await look(name).catch(() => undefined);
    if (found) yield found;
  }
}

// So many rotations may happen while the names are gone through.
const furtherOn = 16;

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

const numberOf = (path: string, of: string): number | undefined =>
  path.startsWith(`${of}.`) && /^[1-9]\d{0,3}$/.test(path.slice(of.length + 1)) ? number(path) : undefined;
