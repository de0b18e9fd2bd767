// A new sidecar, made in a scratch directory, passes everything at once.

import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Scratch, scratch } from '@outrigger/core/testing';
import { expect, test, vi } from 'vitest';
import { outrigger } from '../outrigger.ts';

// One test runs a whole package's tests.
vi.setConfig({ testTimeout: 180_000 });

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../../../..');
const bin = join(root, 'node_modules/.bin');

/** What `pnpm install` would link. */
async function install(directory: string): Promise<void> {
  const links: Readonly<Record<string, string>> = {
    '@outrigger/core': join(root, 'packages/core'),
    vitest: join(root, 'packages/pod/node_modules/vitest'),
    '@types/node': join(root, 'node_modules/@types/node'),
  };
  for (const [name, target] of Object.entries(links)) {
    const link = join(directory, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(target, link);
  }
}

async function contents(directory: string): Promise<Record<string, string>> {
  const names = (await readdir(directory, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('node_modules') && !path.includes('.results'));
  return Object.fromEntries(
    await Promise.all(names.map(async (path) => [path, await readFile(path, 'utf8')] as const)),
  );
}

const created = async (directory: Scratch, ...flags: string[]) => {
  const target = directory.join('beacon-light');
  const { code, stdout, stderr } = await outrigger('create', 'beacon-light', '--directory', target, ...flags);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return { target, stdout };
};

test('it generates nothing new, type-checks, is formatted, and passes its tests and the contract', async () => {
  await using directory = await scratch();
  const { target, stdout } = await created(directory, '--port', '9444', '--summary', "Shows the harbour's light");
  expect(stdout).toContain('admin port 9444');
  await install(target);
  const before = await contents(target);
  const there = { cwd: target, env: { ...process.env, PATH: `${bin}:${process.env.PATH}` } };

  await run(process.execPath, [join(root, 'packages/core/scripts/generate.ts')], there);
  expect(await contents(target)).toEqual(before);

  await run('tsc', ['-p', '.'], there);
  await writeFile(
    directory.join('biome.json'),
    JSON.stringify({ extends: [join(root, '.config/biome.json')], root: true, files: { includes: ['**'] } }),
  );
  await run('biome', ['check', '--error-on-warnings', 'src', 'test', 'package.json', 'tsconfig.json'], there);

  const tests = await run('vitest', ['run', '--config', join(root, '.config/vitest.ts')], there);
  expect(tests.stdout).toMatch(/Test Files .*2 passed/);

  const check = await outrigger('check', join(target, 'pod.yaml'));
  expect(check).toMatchObject({ code: 0, stdout: expect.stringContaining('all is right') });
});

test('it keeps the contract, seen from outside', async () => {
  await using directory = await scratch();
  const { target } = await created(directory);
  await install(target);
  const rules = ['life/*', 'container/*', 'api/metrics', 'log/*'].map((rule) => `--rule=${rule}`);
  const program = [process.execPath, join(target, 'src/main.ts')];
  const { code, stdout } = await outrigger('conformance', ...rules, '--', ...program);
  expect(code, stdout).toBe(0);
});

test('nothing of the template is left in it, and everything of its own is', async () => {
  await using directory = await scratch();
  const { target } = await created(directory, '--summary', 'Shines');
  const files = await contents(target);
  const all = Object.values(files).join('\n');
  expect(all).not.toMatch(/new.sidecar|NEW_SIDECAR|Does its work again/i);
  expect(all).not.toMatch(/\{(core|pod|config|here)\}/);
  const own = (name: string) => files[join(target, name)]!;
  expect(JSON.parse(own('package.json'))).toMatchObject({ name: '@outrigger/beacon-light', description: 'Shines' });
  expect(own('src/main.ts')).toBe(
    "import { run } from '@outrigger/core';\nimport { sidecar } from './sidecar.ts';\n\nawait run(sidecar);\n",
  );
  expect(own('src/errors.ts')).toContain('BEACON_LIGHT_ROUND_FAILED:');
  expect(own('README.md')).toContain('`outrigger_beacon_light_rounds_total`');
  expect(own('src/sidecar.ts')).toMatch(/^ {2}port: 94[1-9]\d,$/m);
});

test('a directory that holds anything is left alone', async () => {
  await using directory = await scratch();
  await writeFile(directory.join('mine'), 'precious');
  const { code, stderr } = await outrigger('create', 'beacon', '--directory', directory.path);
  expect(code).toBe(64);
  expect(stderr).toContain(`outrigger: ${directory.path} is not empty (mine); nothing is written\n`);
  expect(await readdir(directory.path)).toEqual(['mine']);
});

test.for([
  [['Beacon'], '"Beacon": a name in kebab-case of at most 40 characters is expected, such as exchange-rates'],
  [['../up'], '"../up": a name in kebab-case'],
  [['proxy'], '"proxy" is the name of a part of the toolkit'],
  [['a', '--port', '80'], '--port: a number from 1024 to 65535 is expected, not "80"'],
  [['a', '--port', '9402'], '--port: 9402 belongs to the toolkit; from 9410 on they are free'],
  [['a', '--summary', 'Says "hello".'], '--summary: one sentence without full stop'],
  [[], 'outrigger create expects a name, such as exchange-rates'],
  [['a', 'b'], 'outrigger create expects a name, such as exchange-rates, and nothing else; what is "b"?'],
] as const)('%j exits 64 and says why', async ([args, message]) => {
  await using directory = await scratch();
  const { code, stderr } = await outrigger('create', ...args, '--directory', directory.join('new'));
  expect(code).toBe(64);
  expect(stderr).toContain(`outrigger: ${message}`);
});
