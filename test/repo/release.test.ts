// What a release is made of: one version everywhere, packages that run where they are installed, notes.

import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { scratch } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { staleVersions, versionOf } from '../../.ci/release/version.ts';

const root = resolve(import.meta.dirname, '../..');
function node(script: string, args: readonly string[], cwd = root): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { cwd, encoding: 'utf8' });
  expect(status, `${script}\n${stdout}${stderr}`).toBe(0);
  return stdout;
}
const script = (name: string) => join(root, '.ci/release', name);

test('there is one version: of every package, of the images that examples and texts name', () => {
  expect(staleVersions(root)).toEqual([]);
});

test('a changeset becomes one new version everywhere, and the notes of its release', async () => {
  await using directory = await scratch();
  const tree = directory.path;
  const copied = ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml', '.changeset/config.json', 'README.md'];
  const patterns = ['{packages,examples,test}/*/package.json', '{packages,examples}/*/*.{md,yaml}', 'images/*.md'];
  for (const file of [...copied, ...globSync(patterns, { cwd: root })]) cpSync(join(root, file), join(tree, file));
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  const change = 'Requests that wait for the application are counted';
  writeFileSync(join(tree, '.changeset/wait.md'), `---\n'@outrigger/proxy': minor\n---\n\n${change}\n`);
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', ...words], { cwd: tree });
  git('init', '--quiet');
  git('add', '.changeset');
  git('commit', '--quiet', '--message', 'A change');

  node(join(root, 'node_modules/@changesets/cli/bin.js'), ['version'], tree);
  const before = staleVersions(tree);
  expect(before).toContain(`package.json: ${versionOf(root)}`);
  expect(before.filter((each) => each.startsWith('examples/billing/pod.yaml: outrigger/')).length).toBe(8);
  node(script('version.ts'), [tree]);
  expect(staleVersions(tree)).toEqual([]);
  const versions = globSync('{.,packages/*,examples/*,test/*}/package.json', { cwd: tree }).map(
    (file) => JSON.parse(readFileSync(join(tree, file), 'utf8')).version,
  );
  const [major, minor = ''] = versionOf(root).split('.');
  expect([...new Set(versions)]).toEqual([`${major}.${Number(minor) + 1}.0`]);
  expect(node(script('notes.ts'), [tree])).toMatch(
    new RegExp(`^## Minor Changes\n\n- proxy: (?:[0-9a-f]+: )?${change}\n\n$`),
  );
});

test('packages that are published run below node_modules, where Node.js takes no TypeScript', async () => {
  await using directory = await scratch();
  const installed = join(directory.path, 'node_modules');
  mkdirSync(join(installed, '@outrigger'), { recursive: true });
  node(script('pack.ts'), [join(installed, '@outrigger')]);
  // As npm would put them: what they depend on, all of one version, beside them.
  for (const scope of globSync('packages/*/node_modules/@[!o]*', { cwd: root }))
    mkdirSync(join(installed, basename(scope)), { recursive: true });
  for (const dependency of globSync('packages/*/node_modules/{[!.@]*,@[!o]*/*}', { cwd: root })) {
    const place = join(installed, dependency.replace(/^packages\/[^/]+\/node_modules\//, ''));
    if (globSync(place).length === 0) symlinkSync(join(root, dependency), place);
  }

  const command = join(installed, '@outrigger/pod/src/main.js');
  expect(node(command, ['check', join(root, 'examples/billing/pod.yaml')])).toMatch(/: all is right\n$/);
  expect(node(join(installed, '@outrigger/proxy/src/main.js'), ['--version'])).toBe(`proxy ${versionOf(root)}\n`);
  // A sidecar that somebody writes with them knows the types of its parameters.
  const file = join(directory.path, 'own.mts');
  writeFileSync(file, own);
  const typeRoots = join(root, 'node_modules/@types');
  const options = { strict: true, skipLibCheck: true, module: 'nodenext', target: 'esnext', types: 'node', typeRoots };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  node(join(root, 'node_modules/typescript/bin/tsc'), ['--noEmit', ...flags, file], directory.path);
});

const own = `
import { defineSidecar, text } from '@outrigger/core';

export const own = defineSidecar({
  name: 'own',
  summary: 'Greets',
  version: '1.0.0',
  parameters: { greeting: text({ help: 'What to say' }) },
  start({ parameters }) {
    const right: string = parameters.greeting;
    // @ts-expect-error a text is not a number
    const wrong: number = parameters.greeting;
    return void [right, wrong];
  },
});
`;

test('images are published under the digests of their layout, each for both architectures or not at all', async () => {
  await using directory = await scratch();
  const blobs = join(directory.path, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const image = (architecture: string) => ({ digest: `sha256:of-${architecture}`, platform: { architecture } });
  const index = (name: string, architectures: readonly string[]) =>
    writeFileSync(join(blobs, name), JSON.stringify({ manifests: architectures.map(image) }));
  const layout = (...names: readonly string[]) => {
    const manifests = names.map((name) => ({
      digest: `sha256:${name.replace(/:.*/, '')}`,
      annotations: { 'org.opencontainers.image.ref.name': name },
    }));
    writeFileSync(join(directory.path, 'index.json'), JSON.stringify({ manifests }));
  };
  index('proxy', ['amd64', 'arm64']);
  index('half', ['amd64']);
  layout('proxy:1.2.3', 'half:1.2.2', 'example-billing:1.2.3');
  expect(node(script('digests.ts'), [directory.path, '1.2.3'])).toBe(
    'proxy sha256:proxy sha256:of-amd64 sha256:of-arm64\n',
  );
  const refused = (version: string) => {
    const { status, stderr } = spawnSync(process.execPath, [script('digests.ts'), directory.path, version], {
      encoding: 'utf8',
    });
    return { status, stderr };
  };
  expect(refused('1.2.2')).toEqual({ status: 1, stderr: expect.stringContaining('half:1.2.2 is not built for arm64') });
  expect(refused('9.9.9')).toEqual({ status: 1, stderr: expect.stringContaining('no image of version 9.9.9') });
});
