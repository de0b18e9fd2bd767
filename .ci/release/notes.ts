// What a release says: the changes of its version out of every package's changelog, each once.
// node .ci/release/notes.ts [<root>]

import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { versionOf } from './version.ts';

const root = resolve(process.argv[2] ?? join(import.meta.dirname, '../..'));
const version = versionOf(root);
/** By the kind of change, its text and the packages that name it. */
const kinds = new Map<string, Map<string, string[]>>();

for (const file of globSync('packages/*/CHANGELOG.md', { cwd: root }).toSorted()) {
  const [, name = ''] = file.split('/');
  const sections = readFileSync(join(root, file), 'utf8').split(/^## /m);
  const section = sections.find((each) => each.startsWith(`${version}\n`)) ?? '';
  for (const part of section.split(/^### /m).slice(1)) {
    const [kind = '', ...lines] = part.split('\n');
    // An item goes on in lines that are indented. That a package of the toolkit has a new version goes without saying.
    const items = lines.join('\n').split(/^- /m).slice(1);
    for (const item of items
      .map((each) => each.trim())
      .filter((each) => !/^(Updated dependencies|@outrigger\/)/.test(each))) {
      const texts = kinds.get(kind) ?? new Map<string, string[]>();
      kinds.set(kind, texts.set(item, [...(texts.get(item) ?? []), name]));
    }
  }
}

if (kinds.size === 0) {
  process.stderr.write(`No changelog has anything under "## ${version}": run npx pnpm@12 release first\n`);
  process.exitCode = 1;
}
for (const kind of [...kinds.keys()].toSorted()) {
  process.stdout.write(`## ${kind}\n\n`);
  for (const [text, names] of kinds.get(kind)!) process.stdout.write(`- ${names.join(', ')}: ${text}\n`);
  process.stdout.write('\n');
}
