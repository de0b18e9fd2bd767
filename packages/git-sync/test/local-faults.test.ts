import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readdir, readFile, readlink, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scratch, startSidecar, until } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import { serveHttp } from './support/http-remote.ts';
import { canMount, startMounted } from './support/in-namespace.ts';
import { gitProcesses } from './support/processes.ts';
import { git, makeRemote } from './support/remote.ts';
import { content, place, publishedCommit, startSync, untilLogged, untilPublished } from './support/start-sync.ts';

describe('a local repository that is broken is made anew, and what is published stays until then', () => {
  const breakages: Record<string, (gitDirectory: string) => Promise<unknown>> = {
    'its HEAD is garbage': (directory) => writeFile(join(directory, 'HEAD'), 'garbage\n'),
    'its configuration is garbage': (directory) => writeFile(join(directory, 'config'), '[[[\n'),
    'its objects are gone': (directory) => rm(join(directory, 'objects'), { recursive: true }),
    'it is gone': (directory) => rm(directory, { recursive: true }),
    'its objects are empty files': async (directory) => {
      const files = await readdir(join(directory, 'objects'), { recursive: true, withFileTypes: true });
      for (const file of files.filter((each) => each.isFile())) {
        const path = join(file.parentPath, file.name);
        await chmod(path, 0o644);
        await truncate(path, 0);
      }
    },
    'its reference is garbage': (directory) => writeFile(join(directory, 'refs', 'outrigger', 'fetched'), 'garbage\n'),
  };

  test.each(Object.keys(breakages))('%s', async (breakage) => {
    await using directory = await scratch();
    const at = place(directory.path);
    const remote = await makeRemote(directory.path);
    await remote.push({ file: 'one', same: 'same' });
    await using sidecar = await startSync(remote.url, at, { ready: true });
    await breakages[breakage]!(join(at.root, '.git'));
    expect(await content(at, 'file')).toBe('one');
    await untilPublished(at, await remote.push({ file: 'two' }), sidecar);
    expect(await content(at, 'file')).toBe('two');
    expect(await content(at, 'same')).toBe('same');
    await untilPublished(at, await remote.push({ file: 'three' }), sidecar);
    expect((await readdir(at.root)).sort()).toEqual(['.git', '.worktrees', 'current']);
  });

  test('it is broken while the sidecar does not run', async () => {
    await using directory = await scratch();
    const at = place(directory.path);
    const remote = await makeRemote(directory.path);
    const commit = await remote.push({ file: 'one' });
    {
      await using _first = await startSync(remote.url, at, { ready: true });
    }
    await rm(join(at.root, '.git', 'objects'), { recursive: true });
    await using sidecar = await startSync(remote.url, at, { ready: true });
    await untilPublished(at, commit, sidecar);
    await untilPublished(at, await remote.push({ file: 'two' }), sidecar);
  });
});

describe('a tree that is damaged while the sidecar does not run is replaced', () => {
  const damages: Record<string, (tree: string) => Promise<unknown>> = {
    'a file is gone': (tree) => rm(join(tree, 'file')),
    'a file is changed': (tree) => writeFile(join(tree, 'file'), 'changed'),
    'everything is gone': (tree) => rm(tree, { recursive: true }),
  };
  test.each(Object.keys(damages))('%s', async (damage) => {
    await using directory = await scratch();
    const at = place(directory.path);
    const remote = await makeRemote(directory.path);
    const commit = await remote.push({ file: 'one' });
    {
      await using _first = await startSync(remote.url, at, { ready: true });
    }
    await damages[damage]!(join(at.root, await readlink(at.link)));
    await using sidecar = await startSync(remote.url, at, { ready: true });
    await until(async () => (await content(at, 'file').catch(() => '')) === 'one', { what: 'the file as committed' });
    await untilPublished(at, commit, sidecar);
  });
});

test('locks that a killed git left do not stop the next sync', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  await remote.push({ file: 'one' });
  const locks = [
    'index.lock',
    'HEAD.lock',
    'shallow.lock',
    'config.lock',
    'packed-refs.lock',
    'refs/outrigger/fetched.lock',
  ];
  const lock = () => Promise.all(locks.map((name) => writeFile(join(at.root, '.git', name), '')));
  await using first = await startSync(remote.url, at, { ready: true });
  await lock();
  await untilPublished(at, await remote.push({ file: 'two' }), first);
  first.kill('SIGKILL');
  await first.exited;
  await lock();
  await using sidecar = await startSync(remote.url, at, { ready: true });
  await untilPublished(at, await remote.push({ file: 'three' }), sidecar);
  const left = await readdir(join(at.root, '.git'), { recursive: true });
  expect(left.filter((name) => name.endsWith('.lock'))).toEqual([]);
});

describe('killed with -9 at any moment, the link stays whole, and a restart cleans up and goes on', () => {
  const moments: Record<string, (root: string, commit: string) => Promise<unknown>> = {
    'the fetch begins': (root) => readFile(join(root, '.git', 'refs', 'outrigger', 'fetched.lock')),
    'the tree is begun': (root, commit) => readdir(join(root, '.worktrees', commit)),
    'the tree is half written': (root, commit) => readFile(join(root, '.worktrees', commit, 'filler-150')),
    'the last file is written': (root, commit) => readFile(join(root, '.worktrees', commit, 'second')),
    'the commit is published': async (root, commit) => {
      expect(await publishedCommit({ root, link: join(root, 'current') })).toBe(commit);
    },
  };
  const filler = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`filler-${i}`, `${i}\n`.repeat(200)]));

  test.each(Object.keys(moments))('when %s', async (moment) => {
    await using directory = await scratch();
    const at = place(directory.path);
    const remote = await makeRemote(directory.path);
    const before = await remote.push({ ...filler, first: 'before', second: 'before' });
    await using killed = await startSync(remote.url, at, { ready: true });
    const commit = await remote.push({ first: 'after', second: 'after' });
    // Some moments pass between two looks; then it is killed after the publication.
    await until(async () =>
      Promise.any([moments[moment]!(at.root, commit), moments['the commit is published']!(at.root, commit)]).then(
        () => true,
        () => false,
      ),
    );
    killed.kill('SIGKILL');
    await killed.exited;
    expect([before, commit]).toContain(await publishedCommit(at));
    expect(await content(at, 'second')).toBe(await content(at, 'first'));
    expect((await readdir(at.link)).length).toBe(303);

    await using sidecar = await startSync(remote.url, at);
    await untilPublished(at, commit, sidecar);
    await untilPublished(at, await remote.push({ first: 'last', second: 'last' }), sidecar);
    expect((await readdir(at.root)).sort()).toEqual(['.git', '.worktrees', 'current']);
    await until(async () => (await readdir(join(at.root, '.worktrees'))).length === 2, { what: 'other trees to go' });
  });
});

test('killed while it makes the local repository, a restart makes it', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const commit = await remote.push({ file: 'one' });
  await using killed = await startSync(remote.url, at, { wait: false });
  await until(() =>
    readdir(join(at.root, '.git')).then(
      () => true,
      () => false,
    ),
  );
  killed.kill('SIGKILL');
  await killed.exited;
  await using sidecar = await startSync(remote.url, at, { ready: true });
  await untilPublished(at, commit, sidecar);
});

test('git processes that a killed sidecar left behind are ended by the next one', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const commit = await remote.push({ file: 'one' });
  await using http = await serveHttp(directory.path);
  http.stalling = true;
  await using killed = await startSync(http.url, at);
  await until(() => http.stalled > 0, { what: 'the fetch to hang' });
  killed.kill('SIGKILL');
  await killed.exited;
  const orphans = await gitProcesses(at.root);
  expect(orphans.filter((line) => line.includes(' fetch ')).length).toBeGreaterThan(0);
  http.stalling = false;
  await using sidecar = await startSync(http.url, at);
  await untilPublished(at, commit, sidecar);
  expect(sidecar.stderr).toContain('Ended git processes that the last run left behind');
  expect((await gitProcesses(at.root)).filter((line) => line.includes(' fetch '))).toEqual([]);
});

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
    expect((await sidecar.exited).code).toBe(1);
    expect(sidecar.stderr).toContain(`--link  current (--link): "${at.link}" is ${obstacle.replaceAll('\\', '')}`);
    expect(sidecar.stderr).not.toMatch(/^ +at /m);
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
  expect((await sidecar.exited).code).toBe(1);
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
    'git-sync: 1 parameter is wrong\n  --git  git (default): no such program; install git or name it\n',
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

describe.skipIf(!canMount)('a file system', () => {
  const usual = (remote: string, root: string) => [
    '--repo',
    remote,
    '--root',
    root,
    '--link',
    'current',
    '--period',
    '30ms',
  ];

  test('that is full keeps the last good tree, and syncing goes on when there is room', async () => {
    await using directory = await scratch();
    const at = place(directory.path);
    const remote = await makeRemote(directory.path);
    await remote.push({ file: 'one' });
    await mkdir(at.root);
    await using sidecar = startMounted(at.root, 'size=3m', usual(remote.url, at.root));
    const inside = () => ({ ...at, link: sidecar.inside(at.link) });
    await until(() => content(inside(), 'file').catch(() => undefined), {
      deadline: 20_000,
      what: () => sidecar.stderr,
    });
    const commit = await remote.push({ file: 'two', big: randomBytes(4 * 1024 * 1024).toString('latin1') });
    await until(() => sidecar.stderr.includes('GIT_DISK_FULL'), { deadline: 20_000, what: () => sidecar.stderr });
    expect(await content(inside(), 'file')).toBe('one');
    expect(await publishedCommit(inside())).not.toBe(commit);
    const small = await remote.push({ file: 'three', big: '' });
    await until(async () => (await publishedCommit(inside())) === small, {
      deadline: 30_000,
      what: () => sidecar.stderr,
    });
    const trees = await readdir(sidecar.inside(join(at.root, '.worktrees')));
    expect(trees.length).toBeLessThanOrEqual(2);
  });

  test('that is read-only is named on one line', async () => {
    await using directory = await scratch();
    const at = place(directory.path);
    const remote = await makeRemote(directory.path);
    await mkdir(at.root);
    await using sidecar = startMounted(at.root, 'ro', usual(remote.url, at.root));
    expect(await sidecar.exited).toBe(1);
    expect(sidecar.stderr).toContain(`--root  ${at.root} (--root): the file system is read-only`);
  });
});

test('a root that cannot be made is named on one line', async () => {
  await using directory = await scratch();
  const remote = await makeRemote(directory.path);
  await writeFile(directory.join('root'), 'a file');
  await using sidecar = await startSync(remote.url, place(directory.path), { wait: false });
  expect((await sidecar.exited).code).toBe(1);
  expect(sidecar.stderr).toContain('--root  ');
  expect(sidecar.stderr).toContain('is not a directory');
  expect(sidecar.stderr).not.toMatch(/^ +at /m);
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
