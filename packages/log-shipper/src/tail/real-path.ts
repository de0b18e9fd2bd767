import { realpathSync } from 'node:fs';

/** Where a name leads to, undefined when it leads nowhere. */
export function realPath(name: string): string | undefined {
  try {
    return realpathSync.native(name);
  } catch {
    // Removed this moment, or a loop of links.
    return undefined;
  }
}
