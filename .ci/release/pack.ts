// Writes what is published of each package into <directory>/<name>: node .ci/release/pack.ts <directory>
// Node.js runs no TypeScript below node_modules, so that packages hold JavaScript; core has its types beside it.

import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const target = resolve(process.argv[2] ?? 'dist');

type Manifest = Readonly<Record<string, unknown>> & {
  readonly name: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
};

const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Manifest & { readonly version: string };
const names = globSync('packages/*/package.json', { cwd: root })
  .map(dirname)
  .filter((folder) => !read(join(root, folder, 'package.json')).private)
  .map((folder) => folder.slice('packages/'.length))
  .toSorted();

compile(['packages/*/src', 'packages/pod/template/src'], { noCheck: true });
// Those of roles would name types that core keeps to itself; nobody imports a role.
compile(['packages/core/src'], { declaration: true, emitDeclarationOnly: true });
for (const name of names) {
  const from = join(root, 'packages', name);
  const to = join(target, name);
  writeFileSync(join(to, 'package.json'), `${JSON.stringify(published(name), null, 2)}\n`);
  cpSync(join(root, 'LICENSE'), join(to, 'LICENSE'));
  for (const file of ['README.md', 'CHANGELOG.md', 'openapi.json', 'parameters.schema.json'])
    cpSync(join(from, file), join(to, file), { recursive: true, filter: (path) => globSync(path).length > 0 });
  process.stdout.write(`${to}\n`);
}

function compile(include: readonly string[], options: Readonly<Record<string, boolean>>): void {
  const scratch = mkdtempSync(join(tmpdir(), 'outrigger-pack-'));
  mkdirSync(target, { recursive: true });
  const compilerOptions = {
    noEmit: false,
    rewriteRelativeImportExtensions: true,
    rootDir: join(root, 'packages'),
    outDir: target,
    typeRoots: [join(root, 'node_modules/@types')],
    ...options,
  };
  const file = join(scratch, 'tsconfig.json');
  const base = join(root, '.config/tsconfig.base.json');
  const files = include.map((each) => join(root, each));
  writeFileSync(file, JSON.stringify({ extends: base, compilerOptions, include: files }));
  const { status } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', file], { stdio: 'inherit' });
  rmSync(scratch, { recursive: true });
  if (status !== 0) process.exit(1);
}

/** package.json as it is published: JavaScript instead of TypeScript, and versions instead of what the workspace says. */
function published(name: string): Manifest {
  const folder = join(root, 'packages', name);
  const { scripts, devDependencies, exports, bin, dependencies, ...rest } = read(join(folder, 'package.json'));
  const js = (path: string) => path.replace(/\.ts$/, '.js');
  const typed = name === 'core';
  const entry = (path: string) => (typed ? { types: path.replace(/\.ts$/, '.d.ts'), default: js(path) } : js(path));
  const each = <T>(from: Readonly<Record<string, string>> | undefined, to: (value: string, key: string) => T) =>
    Object.fromEntries(Object.entries(from ?? {}).map(([key, value]) => [key, to(value, key)]));
  const installed = (key: string) => read(join(folder, 'node_modules', key, 'package.json')).version;
  // What core's own help for tests imports is there where there are tests.
  const code = globSync('src/**/*.js', { cwd: join(target, name) }).map((file) =>
    readFileSync(join(target, name, file), 'utf8'),
  );
  const peers = Object.keys(devDependencies ?? {}).filter((key) => code.some((text) => text.includes(`from '${key}'`)));
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env;
  return {
    ...rest,
    // npm holds it against the provenance.
    ...(server && {
      repository: { type: 'git', url: `git+${server}/${repository}.git`, directory: `packages/${name}` },
    }),
    engines: { node: '>=26' },
    exports: { ...each(exports, entry), './package.json': './package.json' },
    bin: each(bin, js),
    dependencies: each(dependencies, (_, key) => installed(key)),
    peerDependencies: Object.fromEntries(peers.map((key) => [key, `^${installed(key)}`])),
    peerDependenciesMeta: Object.fromEntries(peers.map((key) => [key, { optional: true }])),
  } as Manifest;
}
