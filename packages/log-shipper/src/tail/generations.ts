// What rotation makes of a name.

import { basename } from 'node:path';
import type { Generation } from '../ledger.ts';

// app.log.1, app.log-20261120, app.log.2026-11-20T10:00, app.log.old. Whatever else begins with the same name is another log.
const suffix = /^[.\-_](\d[\dT:Z.\-_]*|old|prev)$/;

/** Whether a path is what rotation makes of another one. */
export function isGeneration(path: string, of: string): boolean {
  return path.startsWith(of) && suffix.test(path.slice(of.length));
}

/** Of which paths this one may be a generation, the shortest first. */
export function basesOf(path: string): string[] {
  const bases: string[] = [];
  const end = path.length - basename(path).length;
  for (let at = path.length - 1; at > end; at--) {
    const character = path[at]!;
    if ('.-_'.includes(character) && suffix.test(path.slice(at))) bases.unshift(path.slice(0, at));
    // No suffix reaches further back.
    if (!/[\dT:Z.\-_]/.test(character) && path.length - at > 4) break;
  }
  return bases;
}

/** Of two names, which belongs to the older file: app.log.2 comes before app.log.1, and that before app.log. */
export const byName = (a: string, b: string): number => number(b) - number(a) || (a < b ? -1 : 1);

/** Oldest first. Ticks of the clock are coarse, so names decide between files of one tick. */
export const byAge = (a: Generation & { path: string }, b: Generation & { path: string }): number =>
  Number(a.modified - b.modified) || byName(a.path, b.path);

const number = (path: string): number => Number(/\.(\d{1,6})$/.exec(path)?.[1] ?? 0);

/** 3 for app.log.3 of app.log, 0 for what is not numbered. */
export const numberOf = (path: string, of: string): number =>
  path.startsWith(`${of}.`) && /^[1-9]\d{0,3}$/.test(path.slice(of.length + 1)) ? number(path) : 0;
