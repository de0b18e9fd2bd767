// One version for the whole toolkit, that of packages/core: after `changeset version` gave it and the others that are
// published a new one, the private packages and the tags of the toolkit's images in examples and texts follow.
// node .ci/release/version.ts [<root>]

import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const texts = [
  '*.md',
  '.github/*.md',
  'images/*.md',
  'examples/**/*.{md,yaml}',
  'packages/*/README.md',
  'packages/pod/template/**',
];
const manifests = ['package.json', '{packages,examples,test}/*/package.json'];

/** `outrigger/proxy:0.1.0`, and `tag: 0.1.0` in a list of sidecars. */
const tag = /(\boutrigger\/[a-z-]+:|\btag: )(\d+\.\d+\.\d+(?:-[\w.]+)?)/g;

const list = (root: string, patterns: readonly string[]) =>
  globSync(patterns, { cwd: root, exclude: (path) => /(^|\/)(node_modules|dist)$/.test(path) })
    .filter((file) => /\.(md|yaml|json)$/.test(file))
    .toSorted();

const versionIn = (root: string, file: string): string => JSON.parse(readFileSync(join(root, file), 'utf8')).version;

export const versionOf = (root: string): string => versionIn(root, 'packages/core/package.json');

/** Where another version is written than core's: `examples/billing/pod.yaml: outrigger/proxy:0.0.9`. */
export function staleVersions(root: string): string[] {
  const version = versionOf(root);
  const inTexts = list(root, texts).flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(tag)]
      .filter(([, , written]) => written !== version)
      .map(([found]) => `${file}: ${found}`),
  );
  const inManifests = list(root, manifests)
    .map((file) => ({ file, written: versionIn(root, file) }))
    .filter(({ written }) => written !== version)
    .map(({ file, written }) => `${file}: ${written}`);
  return [...inTexts, ...inManifests];
}

/** Returns the files that it changed. */
function setVersion(root: string): string[] {
  const version = versionOf(root);
  const change = (file: string, pattern: RegExp): string[] => {
    const before = readFileSync(join(root, file), 'utf8');
    const after = before.replace(pattern, (_, what: string) => what + version);
    if (after === before) return [];
    writeFileSync(join(root, file), after);
    return [file];
  };
  return [
    ...list(root, texts).flatMap((file) => change(file, tag)),
    ...list(root, manifests).flatMap((file) => change(file, /(^ {2}"version": ")[^"]+/m)),
  ];
}

if (import.meta.main) {
  const root = resolve(process.argv[2] ?? join(import.meta.dirname, '../..'));
  for (const file of setVersion(root)) process.stdout.write(`${file}: ${versionOf(root)}\n`);
  const stale = staleVersions(root);
  for (const each of stale) process.stderr.write(`stale: ${each}\n`);
  process.exitCode = stale.length > 0 ? 1 : 0;
}
