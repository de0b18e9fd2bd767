// Whoever may write to a directory of logs may put links there: what they lead to is shipped only where the operator wants that.

import { appendFile, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunningSidecar, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { ledgerOf, sequence, text, workplace } from '../shipper.ts';

const secret = 'the token of the Pod\n';

/** A place with something beside the logs that is nobody's business. */
async function placeWithSecret() {
  const place = await workplace();
  const outside = join(place.path, 'secrets');
  await mkdir(outside);
  await appendFile(join(outside, 'token.log'), secret);
  return { ...place, outside, secret: join(outside, 'token.log') };
}

const refusals = (shipper: RunningSidecar) => shipper.logs().filter(({ code }) => code === 'LOG_SHIPPER_FILE_REFUSED');

/** Many looks later: whatever is shipped that must not be is there before it. */
async function lookAgain(place: { append(content: string, name: string): Promise<void> }, shipper: RunningSidecar) {
  for (const line of sequence(1, 10, 'later')) {
    await place.append(`${line}\n`, 'later.log');
    await until(() => shipper.stdout.endsWith(`${line}\n`));
  }
}

test('a link within the directory is followed, one that leaves it is refused, which is said once', async () => {
  await using place = await placeWithSecret();
  await mkdir(place.log('archive'));
  await place.append('archived\n', 'archive/2026.txt');
  await symlink('archive/2026.txt', place.log('app.log'));
  await symlink(place.secret, place.log('absolute.log'));
  await symlink('../secrets/token.log', place.log('relative.log'));
  await symlink('/proc/self/environ', place.log('environ.log'));
  await using shipper = await place.ship(['--source-file-paths', place.log('*.log')]);
  await until(() => shipper.stdout === 'archived\n');
  await lookAgain(place, shipper);
  expect(shipper.stdout).toBe(`archived\n${text(sequence(1, 10, 'later'))}`);
  const refused = refusals(shipper);
  expect(refused.map(({ path }) => path).sort()).toEqual(
    [place.log('absolute.log'), place.log('environ.log'), place.log('relative.log')].sort(),
  );
  expect(refused.map(({ hint }) => hint)).toContainEqual(expect.stringContaining('--source-file-links follow'));
  expect(refused.find(({ path }) => path === place.log('absolute.log'))?.reason).toContain(place.secret);
  const { files, troubles } = await ledgerOf(shipper);
  expect(files.length).toBe(2);
  expect(troubles.length).toBe(3);
});

test('a file that is named as such and is a link: to a file beside it it is followed, elsewhere it is refused', async () => {
  await using place = await placeWithSecret();
  await place.append('one\n', 'app-2026-11-21.log');
  await symlink('app-2026-11-21.log', place.log());
  await using shipper = await place.ship();
  await until(() => shipper.stdout === 'one\n');
  await place.append('two\n', 'app-2026-11-22.log');
  await symlink('app-2026-11-22.log', place.log('next'));
  await rename(place.log('next'), place.log());
  await until(() => shipper.stdout === 'one\ntwo\n');
  await symlink(place.secret, place.log('next'));
  await rename(place.log('next'), place.log());
  await until(() => refusals(shipper).length === 1);
  // What is followed already is read on, and the refusal is not said again for that.
  for (const [index, line] of sequence(1, 10).entries()) {
    await place.append(`${line}\n`, 'app-2026-11-22.log');
    await until(() => shipper.stdout === `one\ntwo\n${text(sequence(1, index + 1))}`);
  }
  expect(refusals(shipper).length).toBe(1);
  // Once it leads back, that is the end of it; and leaving again is said again.
  await rm(place.log());
  await symlink('app-2026-11-22.log', place.log());
  await until(async () => (await ledgerOf(shipper)).troubles.length === 0);
  await symlink(place.secret, place.log('next'));
  await rename(place.log('next'), place.log());
  await until(() => refusals(shipper).length === 2);
  expect(shipper.stdout).not.toContain(secret);
});

test('a directory that is a link counts the same below a wildcard; the one before the wildcards may be one', async () => {
  await using place = await placeWithSecret();
  for (const name of ['real', 'good', 'bad']) await mkdir(place.log(name));
  await place.append('inside\n', 'real/app.log');
  await symlink('../real', place.log('good/current'));
  await symlink(place.outside, place.log('bad/current'));
  const mount = join(place.path, 'mount');
  await symlink(place.log(''), mount);
  const paths = ['--source-file-paths', join(mount, '*/current/*.log')];
  {
    await using shipper = await place.ship(paths);
    await until(() => refusals(shipper).length === 1 && shipper.stdout === 'inside\n');
    expect(refusals(shipper)).toMatchObject([{ path: join(mount, 'bad/current/token.log') }]);
    shipper.kill('SIGTERM');
    await shipper.exited;
  }
  await place.append('more\n', 'real/app.log');
  await using shipper = await place.ship([...paths, '--source-file-links', 'none']);
  await until(() => refusals(shipper).length === 2);
  expect(shipper.stdout).toBe('');
});

test('a link to the directory of another pattern is one that leaves its own', async () => {
  await using place = await placeWithSecret();
  await mkdir(place.log('below'));
  await symlink('../private.txt', place.log('below/app.log'));
  await place.append('private\n', 'private.txt');
  await place.append('public\n', 'app.log');
  const patterns = [place.log('*.log'), place.log('below/*.log')];
  await using shipper = await place.ship(patterns.flatMap((pattern) => ['--source-file-paths', pattern]));
  await until(() => refusals(shipper).length === 1 && shipper.stdout === 'public\n');
});

test('rotated names and what an earlier run had followed are under the same rule', async () => {
  await using place = await placeWithSecret();
  await place.append('one\n');
  const follow = ['--source-file-paths', place.log('*.log'), '--source-file-links', 'follow'];
  await symlink(place.secret, place.log('planted.log'));
  {
    await using shipper = await place.ship(follow);
    await until(() => shipper.stdout.includes('one\n') && shipper.stdout.includes(secret));
    shipper.kill('SIGTERM');
    await shipper.exited;
  }
  await appendFile(place.secret, 'another token\n');
  await rename(place.log(), place.log('app.log.2'));
  await place.append('two\n', 'app.log');
  await appendFile(join(place.outside, 'younger.log'), 'a third token\n');
  await symlink(join(place.outside, 'younger.log'), place.log('app.log.1'));
  await using shipper = await place.ship(['--source-file-paths', place.log('*.log')]);
  await until(() => refusals(shipper).length === 2);
  await lookAgain(place, shipper);
  expect(shipper.stdout).toBe(`two\n${text(sequence(1, 10, 'later'))}`);
  expect(
    refusals(shipper)
      .map(({ path }) => path)
      .sort(),
  ).toEqual([place.log('app.log.1'), place.log('planted.log')]);
});

test('a planted second name is not followed either', async () => {
  await using place = await placeWithSecret();
  await mkdir(place.log('.held'));
  await symlink(place.secret, place.log(`.held/1-2.${Buffer.from(place.log()).toString('base64url')}`));
  await place.append('one\n');
  await using shipper = await place.ship(['--source-file-hold', place.log('.held')]);
  await until(() => shipper.stdout === 'one\n');
  expect(refusals(shipper).length).toBe(1);
});

test('follow: wherever they lead; none: no link at all', async () => {
  await using place = await placeWithSecret();
  await place.append('inside\n', 'real.log');
  await symlink('real.log', place.log('link.log'));
  await symlink(place.secret, place.log('planted.log'));
  const given = ['--source-file-paths', place.log('*.log'), '--source-file-links'];
  {
    await using shipper = await place.ship([...given, 'none']);
    await until(() => refusals(shipper).length === 2 && shipper.stdout === 'inside\n');
    await place.append('more\n', 'real.log');
    await until(() => shipper.stdout === 'inside\nmore\n');
    expect(refusals(shipper).length).toBe(2);
    shipper.kill('SIGTERM');
    await shipper.exited;
  }
  await using shipper = await place.ship([...given, 'follow']);
  await until(() => shipper.stdout === secret);
  expect(refusals(shipper)).toEqual([]);
});

test('logs of containers, which the node makes of links, are followed wherever they lead', async () => {
  await using place = await placeWithSecret();
  await appendFile(join(place.outside, '0.log'), '2026-11-22T00:00:00Z stdout F hello\n');
  await symlink('../secrets/0.log', place.log('app.log'));
  await using shipper = await place.ship(['--source', 'cri', '--source-cri-paths', place.log('*.log')]);
  await until(() => shipper.stdout === 'hello\n');
});
