// Thousands of files: none waits for another, and no more of them are open than the process may have.

import { readdir, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startSidecar, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { Receiver } from '../receiver.ts';
import { argumentsFor, ledgerOf, main, metric, sequence, text, toForward, workplace } from '../shipper.ts';

type Place = Awaited<ReturnType<typeof workplace>>;

async function writeMany(place: Place, count: number, line: string): Promise<string[]> {
  const names = sequence(1, count, 'file').map((name) => `${name.replace(' ', '-')}.log`);
  for (const name of names) await place.append(`${name} ${line}\n`, name);
  return names.map((name) => `${name} ${line}`);
}

test('a file with a large backlog holds up none of two thousand others', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen({ answer: 'say nothing' });
  // Sixty windows of it, and its turn comes first.
  const backlog = sequence(1, 60_000, `backlog ${'x'.repeat(1000)}`);
  await writeFile(place.log('backlog.log'), text(backlog));
  const lines = await writeMany(place, 2000, 'one');
  await using _shipper = await place.ship([...toForward(receiver.address), '--source-file-paths', place.log('*.log')]);
  receiver.answer = 'acknowledge';
  await receiver.hasAll(lines, 30_000);
  // Whatever the number of turns it had until the last of the others had one, most of it still waits.
  const before = receiver.lines.slice(0, receiver.lines.indexOf(lines.at(-1)!)).filter((line) => line[0] === 'b');
  expect(before.length).toBeLessThan(backlog.length / 2);
  await receiver.hasAll(backlog.slice(-1), 30_000);
});

const openLogs = async (pid: number, directory: string): Promise<number> => {
  const names = await readdir(`/proc/${pid}/fd`);
  // One that is closed meanwhile.
  const targets = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
  return targets.filter((target) => target.startsWith(directory)).length;
};

// What is renamed is looked for by a listing of all names, so that this takes time, and other tests take theirs.
const patience = 60_000;

test('with room for few open files, hundreds are followed through appending, rotation and deletion', {
  timeout: 5 * patience,
}, async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  const limited = place.state('main.ts');
  const words = ['sh', '-c', 'ulimit -n 128 && exec "$@"', 'sh', process.execPath, fileURLToPath(main)];
  await writeFile(limited, `process.execve('/bin/sh', [...${JSON.stringify(words)}, ...process.argv.slice(2)]);\n`);
  const one = await writeMany(place, 500, 'one');
  const args = argumentsFor(place.path, [...toForward(receiver.address), '--source-file-paths', place.log('*.log')]);
  await using shipper = await startSidecar(pathToFileURL(limited).href, args);
  await receiver.hasAll(one, patience);
  const two = await writeMany(place, 500, 'two');
  await receiver.hasAll(two, patience);
  expect(await openLogs(shipper.pid, place.log(''))).toBeLessThanOrEqual(64);
  // Nobody may look in between: those that are closed have to be found under their new names.
  const three = await writeMany(place, 500, 'three');
  for (let file = 1; file <= 500; file++) await rename(place.log(`file-${file}.log`), place.log(`file-${file}.log.1`));
  const four = await writeMany(place, 500, 'four');
  await receiver.hasAll([...three, ...four], patience);
  for (let file = 1; file <= 500; file++) await rm(place.log(`file-${file}.log.1`));
  await until(async () => (await ledgerOf(shipper)).files.length === 500, { deadline: patience });
  const five = await writeMany(place, 500, 'five');
  await receiver.hasAll(five, patience);
  expect(receiver.lines.length).toBe(2500);
  expect(await metric(shipper, 'lost_bytes_total{reason="removed"}')).toBe(0);
  expect((await ledgerOf(shipper)).troubles).toEqual([]);
});
