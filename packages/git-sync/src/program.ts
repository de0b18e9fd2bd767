// Whether a program can be run, without running it.

import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';

/** Looks along PATH as the kernel's exec does. */
export async function programExists(name: string, path = process.env.PATH ?? ''): Promise<boolean> {
  const places = name.includes('/') ? [name] : path.split(':').map((directory) => join(directory || '.', name));
  for (const place of places) {
    if (await access(place, constants.X_OK).then(yes, no)) return true;
  }
  return false;
}

const yes = () => true;
const no = () => false;
