import { chmod, chown, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scratch, startSidecar } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import { git, makeRemote } from './support/remote.ts';
import { content, place, startSync, untilLogged, untilPublished } from './support/start-sync.ts';

describe('what lies in the place of the link is refused with one clear line and left alone', () => {
  const obstacles: Record<string, (link: string) => Promise<unknown>> = {
    'a directory': async (link) => {
      await mkdir(link);
      await writeFile(join(link, 'precious'), 'data');
    },
    'a file': (link) => writeFile(link, 'precious'),
    'a link to \\"/somewhere\\"': (link) => symlink('/somewhere', link),
  };
  test.each(Object.keys(obstacles))('%s', async (obstacle) => {
    await using directory = await scratch();
    const at = place(directory.path);
    const remote = await makeRemote(directory.path);
    await remote.push({ file: 'one' });
    await mkdir(at.root);
    await obstacles[obstacle]!(at.link);
    await using sidecar = await startSync(remote.url, at, { wait: false });
    expect((await sidecar.exited).code).toBe(64);
    expect(sidecar.stderr).toContain(`--link  current (--link): "${at.link}" is ${obstacle.replaceAll('\\', '')}`);
    expect(sidecar.logs().filter(({ level }) => level !== 'info')).toEqual([]);
    expect(await readdir(at.root)).toEqual(['current']);
    if (obstacle === 'a directory') expect(await content(at, 'precious')).toBe('data');
  });
});

test('a link that is replaced by a directory later is reported and left alone', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  await remote.push({ file: 'one' });
  await using sidecar = await startSync(remote.url, at, { ready: true });
  await rm(at.link);
  await mkdir(at.link);
  await writeFile(join(at.link, 'precious'), 'data');
  await untilLogged(sidecar, 'GIT_LINK_TAKEN');
  expect(await content(at, 'precious')).toBe('data');
});

test('a repository of somebody else in the root is refused and left alone', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  await remote.push({ file: 'one' });
  await git('init', '--quiet', '--initial-branch=work', at.root);
  const before = await readdir(join(at.root, '.git'), { recursive: true });
  await using sidecar = await startSync(remote.url, at, { wait: false });
  expect((await sidecar.exited).code).toBe(64);
  expect(sidecar.stderr).toContain('is a repository of somebody else');
  expect(await readdir(join(at.root, '.git'), { recursive: true })).toEqual(before);
});

test('a second sidecar on the same root is refused while the first one goes on', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  await remote.push({ file: 'one' });
  await using first = await startSync(remote.url, at, { ready: true });
  await using second = await startSync(remote.url, at, { wait: false });
  expect((await second.exited).code).toBe(1);
  expect(second.stderr).toContain(`--root  ${at.root} (--root): another git-sync works there`);
  await untilPublished(at, await remote.push({ file: 'two' }), first);
});

test('without git it says so on one line', async () => {
  await using directory = await scratch();
  const remote = await makeRemote(directory.path);
  const options = { wait: false, env: { PATH: directory.path } };
  await using sidecar = await startSync(remote.url, place(directory.path), options);
  expect((await sidecar.exited).code).toBe(64);
  expect(sidecar.stderr).toBe(
    'git-sync: 1 parameter is wrong\n  --git  git (default): no such program; install it or name it\n',
  );
});

test('wrong parameters are named all at once', async () => {
  await using directory = await scratch();
  const args = ['--ref', '--upload-pack=x', '--depth', '-1', '--username', 'me'];
  await using sidecar = await startSync('ext::sh -c true', place(directory.path), {
    wait: false,
    args,
    link: '.git/x',
  });
  expect((await sidecar.exited).code).toBe(64);
  for (const flag of ['--repo', '--ref', '--depth']) expect(sidecar.stderr).toMatch(new RegExp(`^  ${flag} `, 'm'));
});

test.each([
  [['--link', '.git/x'], /--link .*used by the sidecar itself/],
  [['--link', '..'], /--link .*a name for the link is expected/],
  [['--username', 'me'], /--username .*--password-file/],
])('%j is refused', async (args, expected) => {
  await using directory = await scratch();
  const all = ['--repo', 'https://127.0.0.1/site.git', '--root', directory.join('root'), ...args];
  await using sidecar = await startSidecar(import.meta.resolve('../src/main.ts'), all, { wait: false });
  expect((await sidecar.exited).code).toBe(64);
  expect(sidecar.stderr).toMatch(expected);
});

test('a root that cannot be made is named on one line', async () => {
  await using directory = await scratch();
  const remote = await makeRemote(directory.path);
  await writeFile(directory.join('root'), 'a file');
  await using sidecar = await startSync(remote.url, place(directory.path), { wait: false });
  expect((await sidecar.exited).code).toBe(64);
  expect(sidecar.stderr).toContain('--root  ');
  expect(sidecar.stderr).toContain('is not a directory');
  expect(sidecar.logs().filter(({ level }) => level !== 'info')).toEqual([]);
});

test.skipIf(process.getuid!() !== 0)(
  'a local repository of another user is served, since --repo names it',
  async () => {
    await using directory = await scratch();
    const at = place(directory.path);
    const remote = await makeRemote(directory.path);
    const commit = await remote.push({ file: 'one' });
    await chown(remote.path, 12345, 12345);
    await using sidecar = await startSync(remote.path, at, { ready: true });
    await untilPublished(at, commit, sidecar);
  },
);

test('neither hooks nor the configuration of a user reach git', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const commit = await remote.push({ file: 'one' });
  const owned = directory.join('owned');
  const hook = `#!/bin/sh\ntouch ${owned}\n`;
  await mkdir(directory.join('hooks'));
  for (const name of ['post-checkout', 'reference-transaction']) {
    await writeFile(directory.join('hooks', name), hook);
    await chmod(directory.join('hooks', name), 0o755);
  }
  await writeFile(
    directory.join('.gitconfig'),
    `[core]\n\thooksPath = ${directory.join('hooks')}\n[url "/nowhere"]\n\tinsteadOf = ${remote.url}\n`,
  );
  const env = {
    HOME: directory.path,
    GIT_CONFIG_GLOBAL: directory.join('.gitconfig'),
    GIT_DIR: '/nowhere',
    GIT_SSH_COMMAND: `touch ${owned}`,
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'core.hooksPath',
    GIT_CONFIG_VALUE_0: directory.join('hooks'),
  };
  await using sidecar = await startSync(remote.url, at, { env, ready: true });
  await untilPublished(at, commit, sidecar);
  // Whoever writes to the shared volume gets no foot into this container, either.
  await writeFile(
    join(at.root, '.git', 'config'),
    `[core]\n\trepositoryformatversion = 0\n\thooksPath = ${directory.join('hooks')}\n`,
  );
  await untilPublished(at, await remote.push({ file: 'two' }), sidecar);
  await expect(readFile(owned)).rejects.toThrow('ENOENT');
});
