import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { open, rm, writeFile } from 'node:fs/promises';
import { scratch, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { fifo } from '../../src/source/fifo.ts';
import { contentOf, openPushed, startPushed } from './pushed.ts';

const sequence = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`);
const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
const mkfifo = (path: string) => execFileSync('mkfifo', [path]);

/** An application that writes to the pipe as if to a file, and ends. */
async function write(path: string, content: string): Promise<void> {
  await using pipe = await open(path, 'w');
  await pipe.writeFile(content);
}

test('writers come and go, and it goes on', async () => {
  await using directory = await scratch();
  const path = directory.join('app.fifo');
  mkfifo(path);
  await using pushed = await openPushed(fifo, { path });
  await write(path, text(sequence(1, 100)));
  expect(await pushed.lines(100)).toEqual(sequence(1, 100));
  await write(path, text(sequence(101, 2000)));
  expect(await pushed.lines(2000)).toEqual(sequence(1, 2000));
});

test('the shipper is killed and started again: the application gets no SIGPIPE as long as it holds the pipe as well', async () => {
  await using directory = await scratch();
  const path = directory.join('app.fifo');
  const spool = directory.join('spool');
  mkfifo(path);
  const held = openSync(path, 'r+');
  for (let round = 0; round < 3; round++) {
    await using peer = await startPushed('fifo', spool, { path });
    writeSync(held, text(sequence(round * 100 + 1, round * 100 + 100)));
    await until(async () => (await contentOf(spool)).length >= round * 100 + 100);
    peer.kill('SIGKILL');
    await peer.exited;
    // Nobody reads now; the pipe keeps it.
  }
  closeSync(held);
  expect((await contentOf(spool)).map(({ fields }) => fields.log)).toEqual(sequence(1, 300));
});

test('not there yet, no pipe, then one, then another in its place', async () => {
  await using directory = await scratch();
  const path = directory.join('app.fifo');
  await using pushed = await openPushed(fifo, { path });
  expect(pushed.source.troubles).toEqual([{ path, reason: expect.stringContaining('ENOENT') }]);
  await writeFile(path, 'a file\n');
  await until(() => pushed.source.troubles[0]?.reason.includes('is no named pipe'));
  await rm(path);
  mkfifo(path);
  await until(() => pushed.source.troubles.length === 0);
  await write(path, 'one\n');
  expect(await pushed.lines(1)).toEqual(['one']);
  mkfifo(`${path}.new`);
  const old = openSync(path, 'w');
  renameSync(`${path}.new`, path);
  writeSync(old, 'late\n');
  closeSync(old);
  await write(path, 'two\n');
  expect(await pushed.lines(3)).toEqual(['one', 'late', 'two']);
});

test('with a full queue the application waits, or lines are dropped and counted, as declared', async () => {
  for (const whenFull of ['wait', 'drop'] as const) {
    await using directory = await scratch();
    const path = directory.join('app.fifo');
    mkfifo(path);
    await using pushed = await openPushed(fifo, { path, whenFull }, { limit: 1_000_000 });
    writeFileSync(
      directory.join('lines'),
      text(Array.from({ length: 5000 }, (_, index) => `${index} ${'x'.repeat(1000)}`)),
    );
    const application = spawn('sh', ['-c', 'cat "$1" > "$2"', 'sh', directory.join('lines'), path]);
    const ended = once(application, 'exit');
    if (whenFull === 'wait') {
      await until(() => pushed.source.troubles.length === 1);
      expect(application.exitCode).toBe(null);
      expect((await pushed.lines(5000)).length).toBe(5000);
      await ended;
    } else {
      await ended;
      await until(() => (pushed.counts.dropped ?? 0) > 0);
      await until(async () => (await pushed.read()).length + pushed.counts.dropped! === 5000);
    }
  }
});

test('stopped, it takes what is in the pipe', async () => {
  await using directory = await scratch();
  const path = directory.join('app.fifo');
  mkfifo(path);
  await using pushed = await openPushed(fifo, { path });
  await write(path, text(sequence(1, 3000)));
  await pushed.source[Symbol.asyncDispose]();
  expect(await pushed.lines(3000)).toEqual(sequence(1, 3000));
});
