import { writeFileSync } from 'node:fs';
import { chmod, mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { makeVolume, scratch, startProgram, unprivileged, until } from '../../src/testing/index.ts';
import { type Snapshot, takeSnapshot } from '../../src/watch/snapshot.ts';

const listen = () => false;
const take = (path: string, previous?: Snapshot) => takeSnapshot({ paths: [path], listen, previous });
const hashOf = async (path: string) => (await take(path)).roots[0]!.hash!;

test('only content counts: not modes, times, or the generation directory', async () => {
  await using dir = await scratch();
  const volume = await makeVolume(dir.join('config'), { 'app.conf': 'same' });
  const before = await hashOf(volume.path);
  await volume.swap({ 'app.conf': 'same' });
  await chmod(dir.join('config', 'app.conf'), 0o600);
  await utimes(dir.join('config', 'app.conf'), 1, 1);
  expect(await hashOf(volume.path)).toBe(before);
});

test('a changed, added, removed or renamed file changes the hash', async () => {
  await using dir = await scratch();
  const hashes = new Set([await hashOf(dir.path)]);
  for (const [name, content] of [
    ['a', '1'],
    ['a', '2'],
    ['b', '2'],
  ] as const) {
    await writeFile(dir.join(name), content);
    hashes.add(await hashOf(dir.path));
  }
  await rm(dir.join('a'));
  hashes.add(await hashOf(dir.path));
  expect(hashes.size).toBe(5);
});

test('two files that exchange their content are a change', async () => {
  await using dir = await scratch();
  await writeFile(dir.join('a'), '1');
  await writeFile(dir.join('b'), '2');
  const before = await hashOf(dir.path);
  await writeFile(dir.join('a'), '2');
  await writeFile(dir.join('b'), '1');
  expect(await hashOf(dir.path)).not.toBe(before);
});

test('a rewrite of the same size right after it was read is seen', async () => {
  await using dir = await scratch();
  let previous: Snapshot | undefined;
  const hashes = new Set<string>();
  for (let at = 0; at < 20; at++) {
    await writeFile(dir.join('a'), String.fromCharCode(97 + at));
    previous = await take(dir.path, previous);
    hashes.add(previous.roots[0]!.hash!);
  }
  expect(hashes.size).toBe(20);
});

test('a snapshot during swaps is never made of two generations', async () => {
  await using dir = await scratch();
  const volume = await makeVolume(dir.join('config'), { a: '0', b: '0' });
  const whole = new Set<string>();
  for (let at = 0; at < 20; at++) {
    await volume.swap({ a: `${at}`, b: `${at}` }, { keepOld: true });
    whole.add(await hashOf(volume.path));
  }
  await using _ = await startSwapping(dir.join('swap.mts'), volume.path, 20);
  const seen = new Set<string>();
  await until(async () => {
    seen.add(await hashOf(volume.path));
    return seen.size > 10;
  });
  for (const hash of seen) expect(whole).toContain(hash);
});

test('files that change while others are read are read again', async () => {
  await using dir = await scratch();
  const write = (content: string) => {
    for (const name of ['a', 'z']) writeFileSync(dir.join(name), content);
  };
  for (let at = 0; at < 20; at++) await writeFile(dir.join(`m${at}`), '');
  write('new');
  const whole = await hashOf(dir.path);
  write('old');
  const before = await take(dir.path);
  // What is known of a file is asked for right before it is read; by then the first ones have been.
  const digests = new (class extends Map<string, never> {
    override get(path: string): undefined {
      if (path === dir.join('z')) write('new');
    }
  })();
  expect((await take(dir.path, { ...before, digests })).roots[0]!.hash).toBe(whole);
});

test('who renames without a pause is read nevertheless, each file as a whole', async () => {
  await using dir = await scratch();
  const files = ['a', 'b', 'c', 'd'].map((name) => dir.join(name));
  for (const file of files) await writeFile(file, '0');
  const source = `
    const { renameSync, writeFileSync } = require('node:fs');
    console.log('ready');
    for (let at = 0; ; at++) for (const file of ${JSON.stringify(files)}) {
      writeFileSync(file + '~', 'x'.repeat(at % 100));
      renameSync(file + '~', file);
    }`;
  await using program = await startProgram(dir.join('storm.cjs'), source);
  const hashes = new Set<string>();
  for (let at = 0; at < 50; at++) hashes.add(await hashOf(dir.path));
  expect(hashes.size).toBeGreaterThan(1);
  expect(program.lines).toEqual(['ready']);
});

test('an unchanged file is not read again, unless everything is', async () => {
  await using dir = await scratch();
  await writeFile(dir.join('a'), 'content');
  const first = await take(dir.path);
  const { digest, stamp } = [...first.digests.values()][0]!;
  // As if it had been read a minute after its last change, and the content were another one since.
  const digests = new Map([[dir.join('a'), { stamp, digest: 'remembered', takenAt: Date.now() + 60_000 }]]);
  const remembering = await take(dir.path, { ...first, digests });
  expect([...remembering.digests.values()][0]!.digest).toBe('remembered');
  expect([...(await take(dir.path)).digests.values()][0]!.digest).toBe(digest);
});

test('a file that may not be read is named, keeps nobody from the other path, and is read once it may be', async () => {
  await using dir = await scratch();
  await chmod(dir.path, 0o755);
  for (const name of ['one', 'other']) {
    await mkdir(dir.join(name));
    await writeFile(dir.join(name, 'app.conf'), name);
  }
  await chmod(dir.join('one/app.conf'), 0o000);
  const both = () => unprivileged(() => takeSnapshot({ paths: [dir.join('one'), dir.join('other')], listen }));
  const [one, other] = (await both()).roots;
  expect(one).toMatchObject({
    hash: undefined,
    fault: { code: 'WATCH_UNREADABLE', message: `"${dir.join('one/app.conf')}" cannot be read` },
  });
  expect(other).toMatchObject({ hash: expect.any(String) });
  await chmod(dir.join('one/app.conf'), 0o644);
  expect((await both()).roots.map(({ fault }) => fault)).toEqual([undefined, undefined]);
});

test('a directory that may not be entered is named', async () => {
  await using dir = await scratch();
  await chmod(dir.path, 0o755);
  await mkdir(dir.join('secret'));
  await writeFile(dir.join('secret/key'), '');
  await chmod(dir.join('secret'), 0o600);
  const snapshot = await unprivileged(() => takeSnapshot({ paths: [dir.join('secret/key')], listen }));
  expect(snapshot.roots[0]).toMatchObject({ fault: { code: 'WATCH_UNREADABLE' } });
});

/** Another process that swaps between generations without a pause. */
const startSwapping = (script: string, volume: string, generations: number) =>
  startProgram(
    script,
    `
    import { readdirSync, renameSync, symlinkSync } from 'node:fs';
    process.chdir(${JSON.stringify(volume)});
    const all = readdirSync('.').filter((name) => name.startsWith('..2')).slice(-${generations});
    console.log('ready');
    for (let at = 0; ; at++) {
      symlinkSync(all[at % all.length], '..data_tmp');
      renameSync('..data_tmp', '..data');
    }`,
  );
