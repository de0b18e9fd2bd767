import { link, mkdir, rename, rm, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { makeMaze, makeVolume, scratch, startPeer, startProgram, until } from '../../src/testing/index.ts';
import { watched } from './open.ts';

// Longer than a busy machine may keep a test from running between two steps of one change.
const patient = { settle: 250 };

test('what is found at the start is reported as found, and before the watcher is there', async () => {
  await using dir = await scratch();
  await writeFile(dir.join('a'), '1');
  await using watcher = await watched([dir.path]);
  expect(watcher.changes).toEqual([{ hash: watcher.hash, since: expect.any(Number), found: true, hinted: false }]);
  expect(watcher).toMatchObject({ mode: 'events', missing: [], modes: ['events'], said: [] });
});

describe('a kubelet volume', () => {
  test('each swap is reported, with a new hash for new content and the old one for old content', async () => {
    await using dir = await scratch();
    const volume = await makeVolume(dir.join('config'), { key: '1' });
    await using watcher = await watched([volume.path], patient);
    for (const content of ['2', '1']) {
      const before = watcher.changes.length;
      await volume.swap({ key: content });
      await until(() => watcher.changes.length > before);
    }
    expect(watcher.changes.length).toBe(3);
    expect(watcher.changes[2]!.hash).toBe(watcher.changes[0]!.hash);
    expect(watcher.changes[1]).toMatchObject({ found: false, hinted: true });
  });

  test('a swap to the same content is looked at and not reported', async () => {
    await using dir = await scratch();
    const volume = await makeVolume(dir.join('config'), { key: 'same' });
    await using watcher = await watched([volume.path], patient);
    await volume.swap({ key: 'same' });
    await until(() => watcher.looks.at(-1)!.result === 'unchanged');
    expect(watcher.changes.length).toBe(1);
  });

  test('a swap that keeps the old generation is seen through a link from elsewhere', async () => {
    await using dir = await scratch();
    const volume = await makeVolume(dir.join('config'), { key: '1' });
    await symlink('config/key', dir.join('link'));
    await using watcher = await watched([dir.join('link')]);
    await volume.swap({ key: '2' }, { keepOld: true });
    await watcher.settled();
    await writeFile(dir.join('other'), '3');
    await symlink('other', dir.join('link.new'));
    await rename(dir.join('link.new'), dir.join('link'));
    await watcher.settled();
    expect(watcher.changes.length).toBe(3);
  });

  test('of 50 rapid swaps the last is always reported', async () => {
    await using dir = await scratch();
    const volume = await makeVolume(dir.join('config'), { key: 'start' });
    await using watcher = await watched([volume.path]);
    for (let round = 1; round <= 4; round++) {
      for (let at = 1; at <= 50; at++) await volume.swap({ key: `${round}.${at}` });
      await watcher.settled();
    }
  });
});

describe('a plain file', () => {
  test('written in place, renamed over, moved away and written anew, removed and written anew, truncated', async () => {
    await using dir = await scratch();
    const file = dir.join('app.conf');
    await writeFile(file, '1');
    await using watcher = await watched([file], patient);
    const steps = [
      () => writeFile(file, '2'),
      async () => {
        await writeFile(dir.join('.app.conf.tmp'), '3');
        await rename(dir.join('.app.conf.tmp'), file);
      },
      async () => {
        await rename(file, `${file}~`);
        await writeFile(file, '4');
      },
      async () => {
        await unlink(file);
        await writeFile(file, '5');
      },
      () => truncate(file),
    ];
    for (const step of steps) {
      await step();
      await watcher.settled();
    }
    expect(watcher.changes.length).toBe(1 + steps.length);
    expect(watcher.said).toEqual([]);
  });

  test('whose inode is written under another name, as that of a subPath mount is', async () => {
    await using dir = await scratch();
    await mkdir(dir.join('elsewhere'));
    await mkdir(dir.join('mounts'));
    await writeFile(dir.join('elsewhere/source'), '1');
    await link(dir.join('elsewhere/source'), dir.join('mounts/app.conf'));
    await using watcher = await watched([dir.join('mounts/app.conf')]);
    await writeFile(dir.join('elsewhere/source'), '2');
    await watcher.settled();
  });

  test('at the end of a chain of links, each of which may be replaced', async () => {
    await using dir = await scratch();
    for (const name of ['one', 'two', 'three']) await writeFile(dir.join(name), name);
    await symlink('one', dir.join('c'));
    await symlink('c', dir.join('b'));
    await symlink(dir.join('b'), dir.join('a'));
    await using watcher = await watched([dir.join('a')]);
    const relink = async (name: string, target: string) => {
      await symlink(target, dir.join('fresh'));
      await rename(dir.join('fresh'), dir.join(name));
    };
    await relink('c', 'two');
    await watcher.settled();
    await relink('b', 'three');
    await watcher.settled();
    await relink('b', 'a');
    await until(() => watcher.missing.length === 1, { what: 'the loop to be noticed' });
    await relink('b', 'one');
    await watcher.settled();
    expect(watcher.said).toEqual(['+WATCH_MISSING', '-WATCH_MISSING']);
    expect(watcher.changes.length).toBe(4);
  });
});

describe('a path that comes and goes', () => {
  test('is noticed when it appears, level by level, and said to be missing once', async () => {
    await using dir = await scratch();
    const path = dir.join('a/b/config');
    await using watcher = await watched([path]);
    expect(watcher).toMatchObject({ missing: [path], said: ['+WATCH_MISSING'] });
    await mkdir(dir.join('a'));
    await mkdir(dir.join('a/b'));
    await makeVolume(path, { key: '1' });
    await watcher.settled();
    expect(watcher).toMatchObject({ missing: [], said: ['+WATCH_MISSING', '-WATCH_MISSING'] });
    expect(watcher.changes.at(-1)).toMatchObject({ found: false });
  });

  test('keeps its content while it is away, and is heard again once it is back', async () => {
    await using dir = await scratch();
    let volume = await makeVolume(dir.join('config'), { key: '1' });
    await using watcher = await watched([volume.path], patient);
    for (let round = 1; round <= 3; round++) {
      await rm(volume.path, { recursive: true });
      await until(() => watcher.missing.length === 1);
      volume = await makeVolume(dir.join('config'), { key: String(round) });
      await until(() => watcher.missing.length === 0);
      await volume.swap({ key: String(round + 1) });
      await watcher.settled();
    }
    expect(watcher.changes.length).toBe(4);
  });

  test('is heard when it is replaced at once', async () => {
    await using dir = await scratch();
    await makeVolume(dir.join('config'), { key: '1' });
    await using watcher = await watched([dir.join('config')]);
    await rm(dir.join('config'), { recursive: true });
    const volume = await makeVolume(dir.join('config'), { key: '2' });
    await watcher.settled();
    await volume.swap({ key: '3' });
    await watcher.settled();
  });

  test('is heard when a directory above it is moved away and another one takes its place', async () => {
    await using dir = await scratch();
    await mkdir(dir.join('a/b'), { recursive: true });
    await writeFile(dir.join('a/b/key'), '1');
    await using watcher = await watched([dir.join('a/b/key')]);
    await rename(dir.join('a'), dir.join('old'));
    await mkdir(dir.join('a/b'), { recursive: true });
    await writeFile(dir.join('a/b/key'), '2');
    await watcher.settled();
    await writeFile(dir.join('a/b/key'), '3');
    await watcher.settled();
  });
});

test('a change the kernel gives no event for is found by the periodic comparison', async () => {
  await using dir = await scratch();
  await mkdir(dir.join('elsewhere'));
  await mkdir(dir.join('config'));
  await writeFile(dir.join('elsewhere/source'), '1');
  await link(dir.join('elsewhere/source'), dir.join('config/key'));
  await using watcher = await watched([dir.join('config')], { reconcile: 100 });
  // Written under its other name: the watched directory does not hear of it.
  await writeFile(dir.join('elsewhere/source'), '2');
  await watcher.settled();
  expect(watcher.changes.at(-1)).toMatchObject({ found: false, hinted: false });
});

test('paths that change with the time are watched from the next look on', async () => {
  await using dir = await scratch();
  for (const name of ['a', 'b']) await writeFile(dir.join(name), name);
  let paths = [dir.join('a')];
  await using watcher = await watched([], { paths: () => paths });
  paths = [dir.join('a'), dir.join('b')];
  await watcher.look();
  const before = watcher.changes.length;
  await writeFile(dir.join('b'), 'changed');
  await until(() => watcher.changes.length > before);
});

describe('whoever is told', () => {
  test('is never told twice at a time, and of what came meanwhile afterwards', async () => {
    await using dir = await scratch();
    await writeFile(dir.join('a'), '0');
    const first = Promise.withResolvers<void>();
    let running = 0;
    let most = 0;
    let calls = 0;
    await using watcher = await watched([dir.join('a')], {
      async changed() {
        most = Math.max(most, ++running);
        if (++calls === 2) await first.promise;
        running--;
      },
    });
    await writeFile(dir.join('a'), '1');
    await until(() => calls === 2);
    for (let at = 2; at < 20; at++) await writeFile(dir.join('a'), String(at));
    first.resolve();
    await watcher.settled();
    expect(most).toBe(1);
  });

  test('and fails is told again until it takes the change; the failure is said once, and that it has ended', async () => {
    await using dir = await scratch();
    await writeFile(dir.join('a'), '0');
    let failures = 0;
    await using watcher = await watched([dir.join('a')], {
      changed({ found }) {
        if (!found && ++failures <= 2) throw new Error('not now');
      },
    });
    await writeFile(dir.join('a'), '1');
    await watcher.settled();
    expect(watcher.said).toEqual(['+WATCH_NOT_TAKEN', '-WATCH_NOT_TAKEN']);
    expect(watcher.faults[0]!.cause).toMatchObject({ message: 'not now' });
    expect(watcher.changes.at(-1)).toMatchObject({ found: false, hinted: true });
  });
});

test('what is found after a first look in vain may be new to who read it before', async () => {
  await using dir = await scratch();
  await writeFile(dir.join('a'), '0');
  let looks = 0;
  await using watcher = await watched([dir.join('a')], {
    changed() {
      if (++looks === 1) throw new Error('not now');
    },
  });
  await watcher.settled();
  expect(watcher.changes.map(({ found }) => found)).toEqual([false]);
});

test('one path that cannot be read keeps nobody from the other', async () => {
  await using dir = await scratch();
  for (const name of ['one', 'other', 'maze']) await mkdir(dir.join(name));
  await makeMaze(dir.join('maze'));
  await using watcher = await watched([dir.join('other'), dir.join('one')]);
  await rm(dir.join('other'), { recursive: true });
  await rename(dir.join('maze'), dir.join('other'));
  await until(() => watcher.said.includes('+WATCH_TOO_MANY_FILES'));
  expect(watcher.faults.at(-1)!.fields).toMatchObject({ path: dir.join('other') });
  const before = watcher.changes.length;
  await writeFile(dir.join('one/key'), '1');
  await until(() => watcher.changes.length > before);
  await rm(dir.join('other'), { recursive: true });
  await mkdir(dir.join('other'));
  await writeFile(dir.join('other/key'), '1');
  await until(() => watcher.said.includes('-WATCH_TOO_MANY_FILES'));
  await watcher.settled();
});

test('in a storm of changes it reports now and then, and the last state in the end', async () => {
  await using dir = await scratch();
  const files = ['a', 'b', 'c'].map((name) => dir.join('config', name));
  await mkdir(dir.join('config'));
  await using watcher = await watched([dir.join('config')], { settle: 10 });
  const source = `
    const { renameSync, writeFileSync } = require('node:fs');
    const end = Date.now() + 1500;
    for (let at = 0; Date.now() < end; at++) for (const file of ${JSON.stringify(files)}) {
      writeFileSync(file + '~', String(at));
      renameSync(file + '~', file);
    }`;
  await using storm = await startProgram(dir.join('storm.cjs'), source, { ready: false });
  await storm.exited;
  const during = watcher.changes.length;
  await watcher.settled();
  expect(during).toBeGreaterThan(3);
  // Ten settle times apart at the least, not one for each of the thousands of writes.
  expect(during).toBeLessThan(60);
  expect(watcher.faults.filter(({ code }) => code !== 'WATCH_UNSETTLED')).toEqual([]);
});

test('nothing is lost between looking at a directory that is just made and listening to it', async () => {
  await using dir = await scratch();
  const source = `
    const { mkdirSync, rmSync, writeFileSync } = require('node:fs');
    process.chdir(${JSON.stringify(dir.path)});
    let round = 0;
    process.stdin.on('data', () => {
      rmSync('tree', { recursive: true, force: true });
      for (const at of ['tree', 'tree/one', 'tree/one/two', 'tree/three']) {
        mkdirSync(at);
        writeFileSync(at + '/file', String(++round));
      }
      console.log(round);
    });`;
  await writeFile(dir.join('make.cjs'), source);
  // Another process, since a look leaves no gap to its own.
  await using maker = await startPeer(process.execPath, [dir.join('make.cjs')], { input: true });
  await using watcher = await watched([dir.join('tree')]);
  for (let round = 1; round <= 100; round++) {
    maker.process.stdin!.write('again');
    await until(() => maker.stdout.includes(`${round * 4}\n`));
    await watcher.settled();
  }
});

describe('disposal', () => {
  const ears = () => process.getActiveResourcesInfo().filter((name) => name === 'FSEventWrap').length;

  test('in the middle of a look waits for it, tells nothing afterwards and leaves nothing open', async () => {
    await using dir = await scratch();
    for (let at = 0; at < 3000; at++) await writeFile(dir.join(`f${at}`), String(at));
    const watcher = await watched([dir.path], { reconcile: 1 });
    expect(ears()).toBeGreaterThan(0);
    const looks = watcher.looks.length;
    const look = watcher.look();
    await writeFile(dir.join('f0'), 'changed');
    await watcher[Symbol.asyncDispose]();
    await look;
    const told = { looks: watcher.looks.length, changes: watcher.changes.length };
    expect(told.looks).toBeGreaterThan(looks);
    await writeFile(dir.join('f1'), 'changed');
    await watcher.look();
    expect({ looks: watcher.looks.length, changes: watcher.changes.length }).toEqual(told);
    await until(() => ears() === 0);
  });

  test('while a failed look waits to be tried again ends that, too', async () => {
    await using dir = await scratch();
    await writeFile(dir.join('a'), '');
    const watcher = await watched([dir.join('a')], {
      changed() {
        throw new Error('never');
      },
    });
    await watcher[Symbol.asyncDispose]();
    await watcher[Symbol.asyncDispose]();
    await until(() => ears() === 0);
    expect(watcher.looks.length).toBe(1);
  });
});
