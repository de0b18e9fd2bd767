// What holds for every package, so that knowing one is knowing all.

import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { incompatibilities, renderDocuments } from '@outrigger/core/documents';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const roles = ['adapter', 'config-reloader', 'git-sync', 'log-shipper', 'monitor', 'proxy'];
const packages = [...roles, 'core', 'pod'];
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8');
const sources = (folder: string) =>
  globSync('**/*.ts', { cwd: join(root, folder), exclude: ['**/node_modules/**', '**/dist/**'] }).map((file) => ({
    file: join(folder, file),
    text: read(folder, file),
  }));
const imports = (text: string) => [...text.matchAll(/(?:from|import\()\s*'([^']+)'/g)].map(([, name]) => name!);

/** The file as it is and, where there is a clone and git, as it was in each commit that this clone has. */
function versionsOf(file: string): string[] {
  const git = (...words: string[]) =>
    spawnSync('git', ['-c', `safe.directory=${root}`, ...words], { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 });
  // A commit that deleted it has none.
  const commits = git('log', '--format=%H', '--diff-filter=AM', '--', file).stdout?.split('\n').filter(Boolean) ?? [];
  return [read(file), ...commits.map((commit) => git('show', `${commit}:${file}`).stdout)];
}

describe.each(roles)('%s', (role) => {
  test('has the files that every role has', () => {
    const wanted = ['main', 'sidecar', 'parameters', 'metrics', 'errors', 'api'].map((name) => `src/${name}.ts`);
    const all = [...wanted, 'README.md', 'openapi.json', 'parameters.schema.json', 'test/contract.test.ts'];
    expect(all.filter((file) => !existsSync(join(root, 'packages', role, file)))).toEqual([]);
  });

  test('its main.ts is three lines', () => {
    expect(read('packages', role, 'src/main.ts')).toBe(
      "import { run } from '@outrigger/core';\nimport { sidecar } from './sidecar.ts';\n\nawait run(sidecar);\n",
    );
  });

  test('its documents are what its declarations say (npx pnpm@12 generate)', async () => {
    const { sidecar } = await import(pathToFileURL(join(root, 'packages', role, 'src/sidecar.ts')).href);
    const readme = read('packages', role, 'README.md');
    for (const section of ['parameters', 'metrics', 'errors', 'api'])
      expect(readme).toContain(`<!-- generated:${section} -->`);
    for (const [file, content] of Object.entries(renderDocuments(sidecar, readme)))
      expect(read('packages', role, file), file).toBe(content);
  });

  test('its API keeps every promise of each openapi.json that was ever committed', async () => {
    const { sidecar } = await import(pathToFileURL(join(root, 'packages', role, 'src/sidecar.ts')).href);
    const now = JSON.parse(renderDocuments(sidecar, '')['openapi.json']!);
    const promised = versionsOf(`packages/${role}/openapi.json`).map((text) => JSON.parse(text));
    expect(promised.flatMap((before) => incompatibilities(before, now))).toEqual([]);
  });

  test('every error of its catalogue is used', () => {
    const code = sources(`packages/${role}/src`).filter(({ file }) => basename(file) !== 'errors.ts');
    const declared = [...read('packages', role, 'src/errors.ts').matchAll(/^ {2}([A-Z][A-Z0-9_]+):/gm)];
    expect(declared.length).toBeGreaterThan(0);
    expect(declared.map(([, name]) => name!).filter((name) => !code.some(({ text }) => text.includes(name)))).toEqual(
      [],
    );
  });

  test('imports no other role', () => {
    const others = roles.filter((other) => other !== role).map((other) => `@outrigger/${other}`);
    const found = sources(`packages/${role}`).filter(({ text }) => imports(text).some((name) => others.includes(name)));
    expect(found.map(({ file }) => file)).toEqual([]);
  });
});

test('core imports no role and no manifest', () => {
  const found = sources('packages/core').flatMap(({ text }) => imports(text));
  expect(found.filter((name) => name.startsWith('@outrigger/') || name.includes('kubernetes'))).toEqual([]);
});

test.each(packages)('%s: nothing imports an index.ts from inside its own folder, and there is no utils.ts', (name) => {
  for (const { file, text } of sources(`packages/${name}/src`)) {
    expect(imports(text).filter((each) => each === './index.ts')).toEqual([]);
    expect(basename(file)).not.toMatch(/^(utils?|helpers?|common|misc)\.ts$/);
  }
});

test.each(packages)('%s: file names are kebab-case and files stay under 300 lines', (name) => {
  for (const { file, text } of sources(`packages/${name}/src`)) {
    expect(basename(file)).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*\.ts$/);
    expect([file, text.split('\n').length > 300]).toEqual([file, false]);
  }
});

test('no module is mocked and no test is switched off without a reason in its message', () => {
  const found = [...packages.map((name) => `packages/${name}/test`), 'examples', 'test'].flatMap(sources);
  expect(found.filter(({ text }) => /vi\.(mock|doMock)\(/.test(text)).map(({ file }) => file)).toEqual([]);
  expect(found.filter(({ text }) => /\b(test|describe|it)\.(only|todo)\(/.test(text)).map(({ file }) => file)).toEqual(
    [],
  );
});

test('every relative link of every README leads somewhere', () => {
  const readmes = globSync('**/*.md', { cwd: root, exclude: ['**/node_modules/**'] });
  expect(readmes.length).toBeGreaterThan(8);
  const broken = readmes.flatMap((readme) =>
    [...read(readme).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)]
      .map(([, target]) => join(dirname(readme), target!))
      .filter((target) => !existsSync(join(root, target)))
      .map((target) => `${readme} -> ${relative('.', target)}`),
  );
  expect(broken).toEqual([]);
});

test('one version of each dependency: every package takes it from the catalog', () => {
  for (const file of globSync(
    ['packages/*/package.json', 'examples/*/package.json', 'test/*/package.json', 'images/package.json'],
    {
      cwd: root,
    },
  )) {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(read(file));
    const own = Object.entries({ ...dependencies, ...devDependencies }).filter(
      ([, version]) => version !== 'catalog:' && version !== 'workspace:*',
    );
    expect([file, own]).toEqual([file, []]);
  }
});
