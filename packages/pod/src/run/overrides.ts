// --env <container>.<NAME>=<value>

import { nearest } from '@outrigger/core';
import type { Overrides } from '../check/check.ts';

export type ParsedOverrides = { readonly overrides: Overrides; readonly problems: readonly string[] };

/** A value is taken as it is: paths in it are those of this machine. */
export function parseOverrides(written: readonly string[]): ParsedOverrides {
  const overrides = new Map<string, Record<string, string>>();
  const problems: string[] = [];
  for (const each of written) {
    const match = /^([a-z0-9-]+)\.([^=]+)=(.*)$/s.exec(each);
    if (!match) {
      problems.push(`--env "${each}": <container>.<NAME>=<value> is expected`);
      continue;
    }
    const [, container, name, value] = match as unknown as [string, string, string, string];
    overrides.set(container, { ...overrides.get(container), [name]: value });
  }
  return { overrides, problems };
}

export function unknownContainers(overrides: Overrides, names: readonly string[]): string[] {
  return [...overrides.keys()]
    .filter((name) => !names.includes(name))
    .map((name) => {
      const guess = nearest(name, names);
      return `--env ${name}.*: no container is named "${name}"${guess ? `; did you mean ${guess}?` : ''}`;
    });
}
