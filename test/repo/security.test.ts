// What SECURITY.md and UPGRADING.md claim, a test shows: each that they name is there, by file and by name.

import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** `path/x.test.ts` "part of a name", "part of another" */
const cited = (text: string) =>
  [...text.matchAll(/`((?:packages|test)\/[\w./-]+\.ts)`((?:,? "[^"]+")*)/g)].map(([, file = '', names = '']) => ({
    file,
    names: [...names.matchAll(/"([^"]+)"/g)].map(([, name]) => name!),
  }));

describe.each(['.github/SECURITY.md', '.github/UPGRADING.md'])('%s', (document) => {
  const all = cited(read(document));

  test('cites tests', () => {
    expect(all.length).toBeGreaterThan(2);
  });

  test.each(all)('$file $names', ({ file, names }) => {
    expect(existsSync(join(root, file))).toBe(true);
    const titles = [...read(file).matchAll(/(['"`])((?:\\.|(?!\1).)*)\1/g)].map(([, , title]) => title!);
    for (const name of names)
      expect(
        titles.some((title) => title.includes(name)),
        name,
      ).toBe(true);
  });
});

test('every image has its threat model', () => {
  const text = read('.github/SECURITY.md');
  for (const role of ['proxy', 'log-shipper', 'adapter', 'git-sync', 'config-reloader', 'monitor']) {
    const [, section = ''] = new RegExp(`^## ${role}\n([\\s\\S]*?)(?=^## )`, 'm').exec(text) ?? [];
    expect(section, role).toMatch(/^Reach: /m);
    expect(section, role).toMatch(/^\*\*Not defended\.\*\* /m);
    expect(cited(section).length, role).toBeGreaterThan(2);
  }
});

test('every parameter that is named is one of some role', () => {
  const known = ['proxy', 'log-shipper', 'adapter', 'git-sync', 'config-reloader', 'monitor', 'core']
    .map((name) => read(`packages/${name}/README.md`))
    .join('\n');
  const standard = Object.keys(JSON.parse(read('packages/proxy/parameters.schema.json')).properties).map(
    (key) => `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  );
  for (const file of ['.github/SECURITY.md', '.github/UPGRADING.md'])
    for (const [flag] of read(file).matchAll(/(?<![\w-])--[a-z][\w-]+/g))
      expect(['--check', '--help', ...standard].includes(flag) || known.includes(`\`${flag}\``), flag).toBe(true);
});
