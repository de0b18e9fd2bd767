// What the log-shipper writes itself is no source: it would have no end.

import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunningSidecar, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { ledgerOf, sequence, text, workplace } from '../shipper.ts';

const said = (shipper: RunningSidecar) =>
  shipper
    .logs()
    .filter(({ message }) => String(message).includes('writes it itself'))
    .map(({ path }) => path);

const refused = (shipper: RunningSidecar) =>
  shipper
    .logs()
    .filter(({ code }) => code === 'LOG_SHIPPER_FILE_REFUSED')
    .map(({ path, reason }) => [path, reason]);

function goneIsEmpty(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}

/** All that a file sink has written, rotated or not. */
async function writtenTo(directory: string, name: string): Promise<string[]> {
  const names = (await readdir(directory)).filter((each) => each === name || each.startsWith(`${name}.`));
  // One that is renamed this moment is found by the next look.
  const contents = await Promise.all(names.map((each) => readFile(join(directory, each), 'utf8').catch(goneIsEmpty)));
  return contents.flatMap((content) => content.split('\n').slice(0, -1));
}

test.each(['*', 'all.log'])(
  'a file sink beside the logs feeds nobody, also rotated, when %s is followed',
  async (pattern) => {
    await using place = await workplace();
    const args = [
      ...['--source-file-paths', place.log(pattern), '--source-file-paths', place.log('app.log')],
      ...['--sink', 'file', '--sink-file-path', place.log('all.log'), '--sink-file-compress', 'none'],
      ...['--sink-file-rotate-size', '1KiB', '--sink-file-keep', '1000'],
    ];
    await using shipper = await place.ship(args);
    for (let round = 0; round < 10; round++) {
      await place.append(text(sequence(round * 100 + 1, round * 100 + 100)));
      await until(async () => (await writtenTo(place.log(''), 'all.log')).includes(`line ${round * 100 + 100}`));
    }
    // The last look at names was a moment ago: what is to come of them has come after another one.
    await place.append('other\n', 'other');
    if (pattern === '*') await until(async () => (await ledgerOf(shipper)).files.length === 2);
    expect((await readdir(place.log(''))).length).toBeGreaterThan(8);
    const lines = (await writtenTo(place.log(''), 'all.log')).filter((line) => line !== 'other');
    expect(lines.sort()).toEqual(sequence(1, 1000).sort());
    expect((await ledgerOf(shipper)).files.map(({ path }) => path)).toEqual([
      place.log('app.log'),
      ...(pattern === '*' ? [place.log('other')] : []),
    ]);
    expect(said(shipper)).toEqual([place.log('all.log')]);
    shipper.kill('SIGTERM');
    expect(await shipper.exited).toEqual({ code: 0, signal: null });
  },
);

test('nor does a link to it, or into the state directory, wherever links may lead', async () => {
  await using place = await workplace();
  const all = join(place.path, 'all.log');
  await symlink(all, place.log('a.log'));
  await symlink(place.state('lock'), place.log('b.log'));
  await mkdir(place.state('dead'));
  await writeFile(place.state('dead/2026-11-22.ndjson'), '{}\n');
  await symlink(place.state('dead'), join(place.path, 'alias'));
  await place.append('one\n');
  const args = [
    ...['--source-file-paths', place.log('*.log'), '--source-file-links', 'follow'],
    ...['--source-file-paths', place.state('positions.json'), '--source-file-paths', join(place.path, 'alias/*')],
    ...['--sink', 'file', '--sink-file-path', all],
  ];
  await using shipper = await place.ship(args);
  await until(() => refused(shipper).length === 3);
  expect(refused(shipper).sort()).toEqual([
    [join(place.path, 'alias/2026-11-22.ndjson'), expect.stringContaining(place.state('dead/2026-11-22.ndjson'))],
    [place.log('a.log'), expect.stringContaining(all)],
    [place.log('b.log'), expect.stringContaining(place.state('lock'))],
  ]);
  expect(said(shipper)).toEqual([place.state('positions.json')]);
  await place.append('two\n');
  await until(async () => (await readFile(all, 'utf8')) === 'one\ntwo\n');
  expect((await ledgerOf(shipper)).files.length).toBe(1);
  // To open and close the lock would have ended it.
  await using second = await place.ship(args, { wait: false });
  expect((await second.exited).code).toBe(1);
  expect(second.stderr).toContain('another log-shipper is using it');
});
