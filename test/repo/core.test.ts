// Core holds what two roles share and what `run` needs, and nothing else.

import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const core = join(root, 'packages/core/src');
const users = ['adapter', 'config-reloader', 'git-sync', 'log-shipper', 'monitor', 'proxy', 'pod'];
const doors: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(root, 'packages/core/package.json'), 'utf8'),
).exports;

const read = (file: string) => readFileSync(file, 'utf8');

/** The files that one of core's own imports or re-exports, also lazily. Types cost nothing and are left out. */
const importsOf = (file: string): string[] =>
  [
    ...read(file)
      .replace(/^(?:import|export) type [^;]*;/gm, '')
      .matchAll(/'(\.\.?\/[^']+\.ts)'/g),
  ]
    .map(([, path]) => resolve(dirname(file), path!))
    .filter((each) => each.startsWith(core));

function reachableFrom(...files: string[]): Set<string> {
  const seen = new Set<string>();
  const waiting = [...files];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    waiting.push(...importsOf(file));
  }
  return seen;
}

/** Name to the file that declares it, for every value that a door of core lets out. */
function exportsOf(door: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, names, file] of read(door).matchAll(/^export \{([^}]+)\} from '(\.[^']+)'/gm))
    for (const name of names!.split(',').map((each) => each.trim()))
      if (name && !name.startsWith('type ')) found.set(name, resolve(dirname(door), file!));
  // A family is a list that the door itself declares.
  for (const [, name] of read(door).matchAll(/^export const (\w+)/gm)) found.set(name!, door);
  return found;
}

const sourcesOf = (name: string) =>
  globSync(`packages/${name}/src/**/*.ts`, { cwd: root }).map((file) => read(join(root, file)));

const imported = new Map(
  users.map((name) => [
    name,
    new Set(
      sourcesOf(name).flatMap((text) =>
        [...text.matchAll(/import (?!type)[^;]*?\{([^}]*)\} from '@outrigger\/core[^']*'/g)].flatMap(([, names]) =>
          names!
            .split(',')
            .map((each) => each.trim().replace(/ as .*/, ''))
            .filter((each) => !each.startsWith('type ')),
        ),
      ),
    ),
  ]),
);

const byRun = reachableFrom(join(core, 'run.ts'));

test('every mechanism of core is used by two roles, or by run', () => {
  const declared = Object.entries(doors)
    .filter(([door]) => !['./testing', './documents', './schema'].includes(door))
    .flatMap(([, file]) => [...exportsOf(join(root, 'packages/core', file))]);
  for (const [name, from] of declared) {
    const by = users.filter((each) => imported.get(each)!.has(name));
    expect([name, by.length > 0 || byRun.has(from)]).toEqual([name, true]);
  }
  // What a mechanism is made of is used by whoever uses the mechanism.
  const usedBy = users.map((user) => {
    const files = declared.filter(([name]) => imported.get(user)!.has(name)).map(([, from]) => from);
    return { user, files: reachableFrom(...files) };
  });
  const lonely = [...new Set(declared.map(([, from]) => from))]
    .filter((from) => !byRun.has(from))
    .map((from) => [relative(core, from), ...usedBy.flatMap(({ user, files }) => (files.has(from) ? [user] : []))]);
  expect(lonely.filter(({ length }) => length < 3)).toEqual([]);
});

test('every file of core is reached by run, by a role, by the generators or by the tests', () => {
  const from = Object.values(doors).map((file) => join(root, 'packages/core', file));
  const reached = reachableFrom(...from, join(core, 'run.ts'));
  const scripts = globSync('packages/core/scripts/*.ts', { cwd: root }).flatMap((file) => importsOf(join(root, file)));
  for (const file of reachableFrom(...scripts)) reached.add(file);
  const all = globSync('**/*.ts', { cwd: core }).map((file) => join(core, file));
  // A file of types alone leaves nothing to be imported.
  const unreached = all.filter((file) => !reached.has(file) && /^export (?!type)/m.test(read(file)));
  expect(unreached.map((file) => relative(core, file))).toEqual([]);
});
