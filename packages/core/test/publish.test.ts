import { lstat, mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { publishFile, publishLink } from '../src/index.ts';
import { scratch, startPeer, until } from '../src/testing/index.ts';

test('a reader sees the old content or the new, never a part, and no temporary file stays', async () => {
  await using directory = await scratch();
  const file = directory.join('a');
  const contents = ['x', 'y'].map((letter) => letter.repeat(100_000));
  await publishFile(file, contents[0]!);
  let writing = true;
  const reader = (async () => {
    const seen = new Set<string>();
    while (writing) seen.add(await readFile(file, 'utf8'));
    return seen;
  })();
  for (let round = 0; round < 20; round++) await publishFile(file, contents[round % 2]!);
  writing = false;
  for (const content of await reader) expect(contents.includes(content)).toBe(true);
  expect(await readdir(directory.path)).toEqual(['a']);
});

test('a file keeps the mode that was asked for', async () => {
  await using directory = await scratch();
  await publishFile(directory.join('a'), 'x', { mode: 0o600 });
  expect((await lstat(directory.join('a'))).mode & 0o777).toBe(0o600);
});

test('a link is swapped in one step; a real directory in its place is refused and left alone', async () => {
  await using directory = await scratch();
  await publishLink(directory.join('link'), 'one');
  await publishLink(directory.join('link'), 'two');
  expect(await readlink(directory.join('link'))).toBe('two');
  await mkdir(directory.join('real'));
  await writeFile(directory.join('real', 'kept'), '');
  await expect(publishLink(directory.join('real'), 'one')).rejects.toThrow('EISDIR');
  expect((await readdir(directory.path)).sort()).toEqual(['link', 'real']);
});

test('what a killed process was writing is removed by the next one, and nothing else', async () => {
  await using directory = await scratch();
  const file = directory.join('a');
  for (const name of ['.b.tmp', '.0123456789ab-0.tmp', '.a']) await writeFile(directory.join(name), 'foreign');
  const kept = [...(await readdir(directory.path)), 'a', 'link'].sort();
  const rounds = fileURLToPath(import.meta.resolve('./fixtures/publish-for-ever.ts'));
  const left = async () => (await readdir(directory.path)).filter((name) => !kept.includes(name));
  // Most kills come at a moment when nothing is half done.
  await until(
    async () => {
      await using writer = await startPeer(process.execPath, [rounds, directory.path], { ready: /published/ });
      writer.kill('SIGKILL');
      await writer.exited;
      return (await left()).length > 0;
    },
    { deadline: 60_000, what: 'a kill in the middle' },
  );
  await publishFile(file, 'whole');
  await publishLink(directory.join('link'), 'whole');
  expect((await readdir(directory.path)).sort()).toEqual(kept);
  expect(await readFile(file, 'utf8')).toBe('whole');
});

test('a name may be as long as the file system takes, and many may publish one file at once', async () => {
  await using directory = await scratch();
  const file = directory.join('a'.repeat(255));
  await Promise.all(Array.from({ length: 20 }, (_, index) => publishFile(file, String(index).repeat(1000))));
  expect(await readdir(directory.path)).toEqual(['a'.repeat(255)]);
  expect(await readFile(file, 'utf8')).toMatch(/^(\d{1,2})\1{999}$/);
});

test('a directory that is missing the first time may be there the next', async () => {
  await using directory = await scratch();
  const file = directory.join('later', 'a');
  await expect(publishFile(file, 'x')).rejects.toThrow('ENOENT');
  await mkdir(directory.join('later'));
  await publishFile(file, 'x');
  expect(await readFile(file, 'utf8')).toBe('x');
});
