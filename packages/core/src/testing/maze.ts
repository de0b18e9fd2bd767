// More paths than anybody should watch.

import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';

/** Eleven directories that link to one another: millions of paths. */
export async function makeMaze(path: string): Promise<void> {
  const names = Array.from({ length: 11 }, (_, at) => `d${at}`);
  for (const name of names) await mkdir(join(path, name));
  for (const from of names) for (const to of names) await symlink(`../${to}`, join(path, from, to));
}
