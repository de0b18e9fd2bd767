// Paths inside a container to paths on this machine, in any text that holds them.

import { posix } from 'node:path';

export type Mount = { readonly mountPath: string; readonly target: string };

// What may stand right before and right after a path that is not part of a longer one. `file:///logs` holds /logs,
// `http://host/logs` does not; `/logs.old` and `/logs*` are other files, `/logs.` ends a sentence.
const before = String.raw`(?<=^|://|[^\w./~%*?\])}-])`;
const after = String.raw`(?![\w~%@+*?[-]|\.\w)`;

/** The longest mount path wins, since a mount may lie inside another. */
export function rewriter(mounts: readonly Mount[]): (text: string) => string {
  const targets = new Map(mounts.map(({ mountPath, target }) => [normal(mountPath), target]));
  // Everything lies below "/": what is meant by it is not the volume.
  targets.delete('/');
  if (targets.size === 0) return (text) => text;
  const longestFirst = [...targets.keys()].toSorted((a, b) => b.length - a.length).map((path) => RegExp.escape(path));
  const pattern = new RegExp(`${before}(?:${longestFirst.join('|')})${after}`, 'g');
  return (text) => text.replace(pattern, (path) => targets.get(path)!);
}

const normal = (path: string) => posix.normalize(path).replace(/(.)\/+$/, '$1');
