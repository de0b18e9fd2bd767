// Names that come to mean other files: links as the kubelet makes them, replacement by renaming, inodes used again, permission given later.

import { chmod, chown, mkdir, open, rename, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startSidecar, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { Receiver } from '../receiver.ts';
import { argumentsFor, ledgerOf, main, metric, sequence, text, toForward, workplace } from '../shipper.ts';

type Place = Awaited<ReturnType<typeof workplace>>;

/** A container's log where its runtime keeps it, and the link that /var/log/containers has to it. */
async function startContainer(place: Place, id: string, lines: readonly string[]): Promise<void> {
  await mkdir(place.log(`pods/${id}`), { recursive: true });
  await place.append(text(lines), `pods/${id}/0.log`);
  await mkdir(place.log('containers'), { recursive: true });
  await symlink(`../pods/${id}/0.log`, place.log(`containers/new-${id}`));
  await rename(place.log(`containers/new-${id}`), place.log('containers/app.log'));
}

/** Links of the node's making. */
const containers = (place: Place): string[] => [
  ...['--source-file-paths', place.log('containers/*.log')],
  ...['--source-file-links', 'follow'],
];

test('a link retargeted as the kubelet does it: the old target is read to its end, also what comes late, and the new one from its beginning', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  await startContainer(place, 'a', sequence(1, 10));
  await using shipper = await place.ship([...toForward(receiver.address), ...containers(place)]);
  await receiver.hasAll(sequence(1, 10));
  const writer = await open(place.log('pods/a/0.log'), 'a');
  await writer.write(text(sequence(11, 20)));
  await startContainer(place, 'b', sequence(31, 40));
  await receiver.hasAll(sequence(31, 40));
  await writer.write(text(sequence(21, 30)));
  await receiver.hasAll(sequence(21, 30));
  await writer.close();
  expect(new Set(receiver.lines)).toEqual(new Set([...sequence(1, 40)]));
  expect(receiver.lines.length).toBe(40);
  expect(receiver.lines.indexOf('line 20')).toBeLessThan(receiver.lines.indexOf('line 31'));
  // The runtime removes what nobody links to; then it is let go.
  await rm(place.log('pods/a'), { recursive: true });
  await until(async () => (await ledgerOf(shipper)).files.length === 1);
});

test('a link retargeted while it was stopped: the rest of the old target is found behind it, and the new one follows', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  const args = [...toForward(receiver.address), ...containers(place)];
  await startContainer(place, 'a', sequence(1, 10));
  {
    await using shipper = await place.ship(args);
    await receiver.hasAll(sequence(1, 10));
    shipper.kill('SIGTERM');
    expect(await shipper.exited).toEqual({ code: 0, signal: null });
  }
  await place.append(text(sequence(11, 20)), 'pods/a/0.log');
  await startContainer(place, 'b', sequence(21, 30));
  await using _again = await place.ship(args);
  await receiver.hasAll(sequence(11, 30));
  expect(receiver.lines).toEqual(sequence(1, 30));
});

test('behind a link, rotations between two looks lose no line', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  const args = [...toForward(receiver.address), ...containers(place)];
  await startContainer(place, 'a', sequence(1, 10));
  {
    await using shipper = await place.ship(args);
    await receiver.hasAll(sequence(1, 10));
    shipper.kill('SIGTERM');
    await shipper.exited;
  }
  for (let rotation = 1; rotation <= 3; rotation++) {
    await place.append(text(sequence(rotation * 20 - 9, rotation * 20)), 'pods/a/0.log');
    await rename(place.log('pods/a/0.log'), place.log(`pods/a/0.log.20261121-00000${rotation}`));
    await place.append(text(sequence(rotation * 20 + 1, rotation * 20 + 10)), 'pods/a/0.log');
  }
  await using _again = await place.ship(args);
  await receiver.hasAll(sequence(1, 70));
  expect(receiver.lines).toEqual(sequence(1, 70));
});

test('a file replaced by renaming another over it: the old one is read to its end, the new one from its beginning', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  await using _shipper = await place.ship(toForward(receiver.address));
  await place.append(text(sequence(1, 10)));
  await receiver.hasAll(sequence(1, 10));
  for (let round = 1; round <= 20; round++) {
    await place.append(text(sequence(round * 20 - 9, round * 20)));
    await writeFile(place.log('.new'), text(sequence(round * 20 + 1, round * 20 + 10)));
    // The open file is all that is left of the one before: it must have been seen first.
    await receiver.hasAll(sequence(round * 20, round * 20));
    await rename(place.log('.new'), place.log());
    await receiver.hasAll(sequence(round * 20 + 10, round * 20 + 10));
  }
  expect(receiver.lines).toEqual(sequence(1, 410));
});

test('an inode that is used again holds another file', async () => {
  await using place = await workplace();
  await place.append(text(sequence(1, 100)));
  const { ino } = await stat(place.log());
  {
    await using shipper = await place.ship();
    await until(() => shipper.stdout === text(sequence(1, 100)));
    shipper.kill('SIGTERM');
    await shipper.exited;
  }
  await unlink(place.log());
  // Longer than the old one, and beginning with the same line.
  const lines = ['line 1', ...sequence(1, 200, 'other')];
  await writeFile(place.log(), text(lines));
  const reused = (await stat(place.log())).ino === ino;
  await using shipper = await place.ship();
  await until(() => shipper.stdout === text(lines));
  // Otherwise it has only shown that another file is another file.
  if (reused) expect((await ledgerOf(shipper)).files).toMatchObject([{ inode: String(ino) }]);
  expect(await metric(shipper, 'lost_bytes_total{reason="removed"}')).toBe(0);
});

/** Root may read everything, so the shipper has to be somebody else. */
async function shipAsNobody(place: Place) {
  if (process.getuid?.() !== 0) return place.ship();
  const nobody = 65534;
  await chmod(place.path, 0o755);
  await chown(place.state(), nobody, nobody);
  const wrapper = join(place.path, 'main.ts');
  await writeFile(
    wrapper,
    `process.setgroups?.([]);\nprocess.setgid?.(${nobody});\nprocess.setuid?.(${nobody});\nawait import('${main}');\n`,
  );
  return startSidecar(pathToFileURL(wrapper).href, argumentsFor(place.path));
}

test('a file that may not be read is reported once, and shipped from its beginning when it may', async () => {
  await using place = await workplace();
  await place.append('one\n');
  await chmod(place.log(), 0);
  await using shipper = await shipAsNobody(place);
  const reports = () => shipper.logs().filter(({ code }) => code === 'LOG_SHIPPER_FILE_UNREADABLE');
  await until(() => reports().length === 1);
  expect(String(reports()[0]?.reason)).toContain('EACCES');
  await place.append('two\n').catch(() => writeFile(place.log(), 'one\ntwo\n'));
  await chmod(place.log(), 0o644);
  await until(() => shipper.stdout === 'one\ntwo\n');
  expect(reports().length).toBe(1);
  expect((await ledgerOf(shipper)).troubles).toEqual([]);
});
