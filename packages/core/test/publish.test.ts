import { lstat, mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { publishFile, publishLink } from '../src/index.ts';
import { scratch } from '../src/testing/index.ts';

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
