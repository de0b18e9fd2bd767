import { appendFile, copyFile, mkdir, open, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { Receiver } from '../receiver.ts';
import { ledgerOf, metric, sequence, text, toForward, workplace } from '../shipper.ts';

test('what is there already and what is appended later is shipped once and in order', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  await place.append(text(sequence(1, 1000)));
  await using _shipper = await place.ship(toForward(receiver.address));
  await receiver.hasAll(sequence(1, 1000));
  await place.append(text(sequence(1001, 1010)));
  await receiver.hasAll(sequence(1001, 1010));
  expect(receiver.lines).toEqual(sequence(1, 1010));
});

test('a file that does not exist yet is followed from its first line', async () => {
  await using place = await workplace();
  await using shipper = await place.ship();
  await place.append('the first\n');
  await until(() => shipper.stdout === 'the first\n');
});

test('a rotated file is read to its end, also what is written after its renaming, before the new one', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  await using _shipper = await place.ship(toForward(receiver.address));
  await place.append(text(sequence(1, 100)));
  await receiver.hasAll(sequence(1, 100));
  const writer = await open(place.log(), 'a');
  await rename(place.log(), place.log('app.log.1'));
  await writer.write(text(sequence(101, 200)));
  await place.append(text(sequence(201, 300)));
  await receiver.hasAll(sequence(1, 300));
  expect(receiver.lines).toEqual(sequence(1, 300));
  // Long after the new file has been read, a writer that was slow to reopen has another line.
  await writer.write('late\n');
  await receiver.hasAll(['late']);
  await writer.close();
});

test('several rotations between two polls lose no line and keep the order', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  await using shipper = await place.ship(toForward(receiver.address));
  await place.append(text(sequence(1, 10)));
  await receiver.hasAll(sequence(1, 10));
  shipper.kill('SIGSTOP');
  for (let generation = 1; generation <= 4; generation++) {
    for (let older = generation - 1; older >= 1; older--)
      await rename(place.log(`app.log.${older}`), place.log(`app.log.${older + 1}`));
    await rename(place.log(), place.log('app.log.1'));
    await place.append(text(sequence(generation * 10 + 1, generation * 10 + 10)));
  }
  shipper.kill('SIGCONT');
  await receiver.hasAll(sequence(1, 50));
  expect(receiver.lines).toEqual(sequence(1, 50));
  expect(await metric(shipper, 'rotations_total')).toBe(1);
});

test('rotating without a pause, all names shifting, loses no line', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  await using _shipper = await place.ship([...toForward(receiver.address), '--source-file-poll-interval', '10ms']);
  const generations = 150;
  for (let rotation = 0; rotation < generations; rotation++) {
    await place.append(text(sequence(rotation * 5 + 1, rotation * 5 + 5)));
    for (let older = rotation; older >= 1; older--)
      await rename(place.log(`app.log.${older}`), place.log(`app.log.${older + 1}`));
    await rename(place.log(), place.log('app.log.1'));
  }
  await receiver.hasAll(sequence(1, 5 * generations));
  expect(receiver.lines.length).toBe(5 * generations);
});

test('the first generations of all, come and gone before anything was seen, are shipped', async () => {
  await using place = await workplace();
  await using shipper = await place.ship();
  shipper.kill('SIGSTOP');
  await place.append('one\n');
  await rename(place.log(), place.log('app.log.2'));
  await place.append('two\n');
  await rename(place.log(), place.log('app.log.1'));
  shipper.kill('SIGCONT');
  await until(() => shipper.stdout === 'one\ntwo\n');
});

test('rotation under a wildcard that matches the rotated names ships every line once', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  await place.append(text(sequence(1, 10)));
  await using _shipper = await place.ship([
    ...toForward(receiver.address),
    '--source-file-paths',
    place.log('app.log*'),
  ]);
  for (let generation = 1; generation <= 3; generation++) {
    for (let older = generation - 1; older >= 1; older--)
      await rename(place.log(`app.log.${older}`), place.log(`app.log.${older + 1}`));
    await rename(place.log(), place.log('app.log.1'));
    await place.append(text(sequence(generation * 10 + 1, generation * 10 + 10)));
    await receiver.hasAll(sequence(generation * 10 + 1, generation * 10 + 10));
  }
  expect(receiver.lines).toEqual(sequence(1, 40));
});

test('rotations while it was stopped are all caught up with, oldest first', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  await place.append(text(sequence(1, 10)));
  {
    await using shipper = await place.ship(toForward(receiver.address));
    await receiver.hasAll(sequence(1, 10));
    shipper.kill('SIGTERM');
    expect(await shipper.exited).toEqual({ code: 0, signal: null });
  }
  await place.append(text(sequence(11, 20)));
  await rename(place.log(), place.log('app.log.2'));
  await place.append(text(sequence(21, 30)));
  await rename(place.log(), place.log('app.log.1'));
  await place.append(text(sequence(31, 40)));
  // Of other origin: neither may be shipped for its name.
  await place.append('not ours\n', 'app.log.gz');
  await place.append('not ours\n', 'app.logger');
  await using _again = await place.ship(toForward(receiver.address));
  await receiver.hasAll(sequence(1, 40));
  expect(receiver.lines).toEqual(sequence(1, 40));
});

test('older generations from before the first start are not shipped', async () => {
  await using place = await workplace();
  await place.append('old\n', 'app.log.1');
  const { birthtimeNs } = await stat(place.log('app.log.1'), { bigint: true });
  // Births are told apart by ticks of some milliseconds.
  await until(async () => {
    await rm(place.log(), { force: true });
    await place.append('new\n');
    return (await stat(place.log(), { bigint: true })).birthtimeNs > birthtimeNs;
  });
  await using shipper = await place.ship();
  await until(() => shipper.stdout.includes('new\n'));
  await rename(place.log('app.log.1'), place.log('app.log.2'));
  await rename(place.log(), place.log('app.log.1'));
  await place.append('newer\n');
  await until(() => shipper.stdout.includes('newer\n'));
  expect(shipper.stdout).toBe('new\nnewer\n');
});

test('a deleted file is read to its end and then let go', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen({ answer: 'say nothing' });
  await place.append(text(sequence(1, 10)));
  await using shipper = await place.ship([...toForward(receiver.address), '--sink-forward-ack-timeout', '200ms']);
  await receiver.hasAll(sequence(1, 10));
  await rm(place.log());
  await until(async () => (await ledgerOf(shipper)).files[0]?.rotated);
  expect((await ledgerOf(shipper)).files).toMatchObject([{ size: 71, acknowledged: 0, lag: 71 }]);
  receiver.answer = 'acknowledge';
  await until(async () => (await ledgerOf(shipper)).files.length === 0);
});

test('a truncated file is read from its beginning', async () => {
  await using place = await workplace();
  await using shipper = await place.ship();
  await place.append('one\ntwo\n');
  await until(() => shipper.stdout === 'one\ntwo\n');
  await truncate(place.log());
  await place.append('three\n');
  await until(() => shipper.stdout === 'one\ntwo\nthree\n');
  expect(await metric(shipper, 'truncations_total')).toBe(1);
});

test('a file that was truncated while it was stopped, and is shorter than its position, is read from its beginning', async () => {
  await using place = await workplace();
  await place.append(text(sequence(1, 100)));
  {
    await using shipper = await place.ship();
    await until(() => shipper.stdout === text(sequence(1, 100)));
    shipper.kill('SIGTERM');
    await shipper.exited;
  }
  await truncate(place.log());
  await place.append('anew\n');
  await using again = await place.ship();
  await until(() => again.stdout === 'anew\n');
  expect(await metric(again, 'truncations_total')).toBe(1);
  expect(await metric(again, 'lost_bytes_total{reason="truncated"}')).toBe(0);
});

test('a rotated file that is deleted unread while it was stopped is counted as lost, by its size and name', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen({ answer: 'hang up' });
  await place.append(text(sequence(1, 200)));
  {
    await using shipper = await place.ship([...toForward(receiver.address), '--drain-timeout', '500ms']);
    await until(async () => (await ledgerOf(shipper)).files[0]?.size === text(sequence(1, 200)).length);
    shipper.kill('SIGTERM');
    expect((await shipper.exited).code).toBe(75);
  }
  await rename(place.log(), place.log('app.log.1'));
  await rm(place.log('app.log.1'));
  await place.append(text(sequence(201, 210)));
  receiver.answer = 'acknowledge';
  await using shipper = await place.ship(toForward(receiver.address));
  await receiver.hasAll(sequence(201, 210));
  const lost = text(sequence(1, 200)).length;
  expect(await metric(shipper, 'lost_bytes_total{reason="removed"}')).toBe(lost);
  expect(shipper.logs()).toContainEqual(expect.objectContaining({ code: 'LOG_SHIPPER_FILE_GONE', lost }));
});

test('a file that was truncated and has grown past the old position between two polls is noticed by its content', async () => {
  await using place = await workplace();
  await using shipper = await place.ship();
  await place.append('one\ntwo\n');
  await until(() => shipper.stdout === 'one\ntwo\n');
  shipper.kill('SIGSTOP');
  await truncate(place.log());
  await place.append('three\nfour\nfive\n');
  shipper.kill('SIGCONT');
  await until(() => shipper.stdout.endsWith('five\n'));
  expect(shipper.stdout).toBe('one\ntwo\nthree\nfour\nfive\n');
});

test('copytruncate loses nothing while the copy is there: what had not been read is read from it', async () => {
  await using place = await workplace();
  await using shipper = await place.ship();
  await place.append('one\n');
  await until(() => shipper.stdout === 'one\n');
  shipper.kill('SIGSTOP');
  await place.append('two\n');
  await copyFile(place.log(), place.log('app.log.1'));
  await truncate(place.log());
  await place.append('three\n');
  shipper.kill('SIGCONT');
  await until(() => shipper.stdout.includes('two\n') && shipper.stdout.includes('three\n'));
  expect(shipper.stdout).toBe('one\ntwo\nthree\n');
  expect(await metric(shipper, 'lost_bytes_total{reason="truncated"}')).toBe(0);
});

test('copytruncate under a wildcard that matches the copy ships no line twice', async () => {
  await using place = await workplace();
  await using shipper = await place.ship(['--source-file-paths', place.log('app.log*')]);
  await place.append('one\ntwo\n');
  await until(() => shipper.stdout === 'one\ntwo\n');
  await copyFile(place.log(), place.log('app.log.1'));
  // Whatever has been shipped after it, the copy has been seen before.
  await place.append('other\n', 'app.log-other');
  await until(() => shipper.stdout.includes('other\n'));
  await truncate(place.log());
  await place.append('three\n');
  await until(() => shipper.stdout.includes('three\n'));
  expect(shipper.stdout).toBe('one\ntwo\nother\nthree\n');
});

test('a copy under a wildcard that is still being made when it is seen ships no line twice', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  const lines = sequence(1, 1000);
  await place.append(text(lines));
  await using _shipper = await place.ship([
    ...toForward(receiver.address),
    '--source-file-paths',
    place.log('app.log*'),
  ]);
  await receiver.hasAll(lines);
  const copy = text(lines);
  for (let at = 0; at < copy.length; at += 1000) {
    await place.append(copy.slice(at, at + 1000), 'app.log.1');
    // Whatever has been shipped after it, the piece has been seen before.
    await place.append(`other ${at}\n`, 'app.log-other');
    await receiver.hasAll([`other ${at}`]);
  }
  await truncate(place.log());
  await place.append('after\n');
  await receiver.hasAll(['after']);
  expect(receiver.lines.filter((line) => !line.startsWith('other'))).toEqual([...lines, 'after']);
});

test('copytruncate twice while it was stopped is caught up with', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  await place.append(text(sequence(1, 10)));
  {
    await using shipper = await place.ship(toForward(receiver.address));
    await receiver.hasAll(sequence(1, 10));
    shipper.kill('SIGTERM');
    await shipper.exited;
  }
  await place.append(text(sequence(11, 20)));
  await copyFile(place.log(), place.log('app.log.2'));
  await truncate(place.log());
  await place.append(text(sequence(21, 30)));
  await copyFile(place.log(), place.log('app.log.1'));
  await truncate(place.log());
  await place.append(text(sequence(31, 40)));
  await using _again = await place.ship(toForward(receiver.address));
  await receiver.hasAll(sequence(1, 40));
  expect(receiver.lines).toEqual(sequence(1, 40));
});

test('the hole that a writer without append mode leaves after a truncation is no line', async () => {
  await using place = await workplace();
  await using shipper = await place.ship();
  const writer = await open(place.log(), 'w');
  await writer.write('x'.repeat(200_000));
  await writer.write('\n');
  await until(() => shipper.stdout.length === 200_001);
  await truncate(place.log());
  await writer.write('after the hole\n');
  await until(() => shipper.stdout.endsWith('after the hole\n'));
  expect(shipper.stdout.length).toBe(200_001 + 'after the hole\n'.length);
  await writer.close();
});

test('an unfinished line waits for its newline', async () => {
  await using place = await workplace();
  await using shipper = await place.ship();
  await place.append('a whole line\nhalf a ');
  await until(() => shipper.stdout === 'a whole line\n');
  await until(async () => (await ledgerOf(shipper)).files[0]?.size === 20);
  await place.append('line\n');
  await until(() => shipper.stdout === 'a whole line\nhalf a line\n');
});

test('the last line of a rotated file is whole without a newline', async () => {
  await using place = await workplace();
  await using shipper = await place.ship();
  await place.append('a whole line\nthe last words');
  await until(() => shipper.stdout === 'a whole line\n');
  await rename(place.log(), place.log('app.log.1'));
  await until(() => shipper.stdout === 'a whole line\nthe last words\n');
});

test('a file of the same inode with other content is another file', async () => {
  await using place = await workplace();
  await writeFile(place.log(), 'one\ntwo\n');
  {
    await using shipper = await place.ship();
    await until(() => shipper.stdout === 'one\ntwo\n');
    shipper.kill('SIGTERM');
    await shipper.exited;
  }
  // Rewritten in place: what a reused inode looks like after a restart.
  await writeFile(place.log(), 'uno\ndos\ntres\n');
  await using again = await place.ship();
  await until(() => again.stdout === 'uno\ndos\ntres\n');
});

test('a symbolic link that points elsewhere is followed to its new target, the old one read to its end', async () => {
  await using place = await workplace();
  await place.append('one\n', 'first');
  await symlink('first', place.log());
  await using shipper = await place.ship();
  await until(() => shipper.stdout === 'one\n');
  await place.append('two\n', 'first');
  await symlink('second', place.log('link'));
  await place.append('three\n', 'second');
  await rename(place.log('link'), place.log());
  await until(() => shipper.stdout === 'one\ntwo\nthree\n');
});

test('two files of the same content are both shipped', async () => {
  await using place = await workplace();
  await place.append('same\n', 'a.log');
  await place.append('same\n', 'b.log');
  await using shipper = await place.ship(['--source-file-paths', place.log('*.log')]);
  await until(() => shipper.stdout === 'same\nsame\n');
});

test('what is not a file is left alone, and compressed files under a wildcard are too', async () => {
  await using place = await workplace();
  await mkdir(place.log('directory.log'));
  await place.append('binary', 'app.log.gz');
  await place.append('text\n', 'app.log');
  await using shipper = await place.ship(['--source-file-paths', place.log('*')]);
  await until(() => shipper.stdout === 'text\n');
  expect((await ledgerOf(shipper)).files.length).toBe(1);
});

// Root may read everything, so the file has to be unreadable by its nature: a loop of symbolic links is.
test('a path that cannot be read is reported once, tried again, and shipped when it can be read', async () => {
  await using place = await workplace();
  await symlink('app.log', place.log());
  await using shipper = await place.ship();
  const reports = () => shipper.logs().filter(({ code }) => code === 'LOG_SHIPPER_FILE_UNREADABLE');
  await until(() => reports().length === 1);
  expect((await ledgerOf(shipper)).troubles).toMatchObject([{ path: place.log() }]);
  await rm(place.log());
  await appendFile(place.log(), 'at last\n');
  await until(() => shipper.stdout === 'at last\n');
  expect(reports().length).toBe(1);
  expect((await ledgerOf(shipper)).troubles).toEqual([]);
});
