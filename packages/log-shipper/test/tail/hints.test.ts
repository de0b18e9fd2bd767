// The kernel's word for it: every regular look is an hour away.

import { execFileSync } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { appendFile, mkdir, open, rename, symlink, writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startSidecar, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { argumentsFor, main, sequence, text, workplace } from '../shipper.ts';

const never = ['--source-file-poll-interval', '1h'];

test('a line is shipped when it is written, not when it is looked for', async () => {
  await using place = await workplace();
  await place.append('');
  await using shipper = await place.ship(never);
  for (let line = 1; line <= 20; line++) {
    await place.append(`line ${line}\n`);
    await until(() => shipper.stdout === text(sequence(1, line)));
  }
});

test('a new file, a renamed one and what follows under its name are found when they appear', async () => {
  await using place = await workplace();
  await mkdir(place.log('pods'));
  await using shipper = await place.ship([...never, '--source-file-paths', place.log('*.log')]);
  await place.append('one\n', 'a.log');
  await until(() => shipper.stdout === 'one\n');
  await place.append('two\n', 'a.log');
  await rename(place.log('a.log'), place.log('a.log.1'));
  await place.append('three\n', 'a.log');
  await until(() => shipper.stdout === 'one\ntwo\nthree\n');
});

test('what is written where a symbolic link leads to is told too', async () => {
  await using place = await workplace();
  await mkdir(place.log('elsewhere'));
  await place.append('one\n', 'elsewhere/0.log');
  await symlink('elsewhere/0.log', place.log());
  await using shipper = await place.ship(never);
  await until(() => shipper.stdout === 'one\n');
  await place.append('two\n', 'elsewhere/0.log');
  await until(() => shipper.stdout === 'one\ntwo\n');
});

test('a flood of writes is read while it lasts and to its end, and single ones are heard again afterwards', async () => {
  await using place = await workplace();
  await place.append('');
  await using shipper = await place.ship(never);
  const writer = await open(place.log(), 'a');
  const lines = sequence(1, 20_000);
  for (const line of lines) await writer.appendFile(`${line}\n`);
  await until(() => shipper.stdout === text(lines));
  await writer.appendFile('the last\n');
  await until(() => shipper.stdout.endsWith('the last\n'));
  await writer.close();
});

test('a file that appears while there is too much to hear is found when that is over', async () => {
  await using place = await workplace();
  for (const name of ['a.log', 'b.log']) await place.append('', name);
  await using shipper = await place.ship([...never, '--source-file-paths', place.log('*.log')]);
  const writers = ['a.log', 'b.log'].map((name) => openSync(place.log(name), 'a'));
  // By turns: the kernel tells of several writes to one file at once.
  const flood = () => {
    for (const line of sequence(1, 10_000)) for (const writer of writers) writeSync(writer, `${line}\n`);
  };
  flood();
  await place.append('new\n', 'c.log');
  flood();
  for (const writer of writers) closeSync(writer);
  await until(() => shipper.stdout.includes('new\n') && shipper.stdout.split('\n').length === 40_002, {
    what: () => `all lines; there are ${shipper.stdout.split('\n').length - 1}`,
  });
});

test('told to stop, it stops at once and ships what was written a moment before', async () => {
  await using place = await workplace();
  await place.append('');
  await using shipper = await place.ship([...never, '--drain-timeout', '1m']);
  await place.append('one\n');
  shipper.kill('SIGTERM');
  expect(await shipper.exited).toEqual({ code: 0, signal: null });
  expect(shipper.stdout).toBe('one\n');
});

const unwatched = 'echo 0 > /proc/sys/user/max_inotify_watches && exec "$@"';

const reason = (() => {
  try {
    execFileSync('unshare', ['-Ur', 'sh', '-c', unwatched, 'sh', 'true'], { stdio: 'ignore' });
    return '';
  } catch {
    return ' (skipped: no user namespace may be made here)';
  }
})();

test.skipIf(reason !== '')(`where the kernel tells nothing, files are followed all the same${reason}`, async () => {
  await using place = await workplace();
  const limited = place.state('main.ts');
  const words = ['unshare', '-Ur', 'sh', '-c', unwatched, 'sh', process.execPath, fileURLToPath(main)];
  await writeFile(
    limited,
    `process.execve('/usr/bin/unshare', [...${JSON.stringify(words)}, ...process.argv.slice(2)]);\n`,
  );
  await using shipper = await startSidecar(pathToFileURL(limited).href, argumentsFor(place.path));
  await place.append('one\n');
  await until(() => shipper.stdout === 'one\n');
  await rename(place.log(), place.log('app.log.1'));
  await appendFile(place.log(), 'two\n');
  await until(() => shipper.stdout === 'one\ntwo\n');
  const said = shipper.logs().filter(({ message }) => message === 'Files are only looked at from time to time');
  expect(said).toMatchObject([
    { directory: place.log('').replace(/\/$/, ''), reason: expect.stringContaining('ENOSPC') },
  ]);
});
