// What a chunk promises whoever holds it.

import { appendFileSync, copyFileSync, existsSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { appendFile, copyFile, rename, stat, truncate, writeFile } from 'node:fs/promises';
import { type Scratch, scratch, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { type Account, Ledger } from '../../src/ledger.ts';
import type { Chunk } from '../../src/source/source.ts';
import { FollowedFiles } from '../../src/tail/followed-files.ts';
import { readChunks } from '../../src/tail/reader.ts';
import { finish, follow, surroundings, unknown } from './follow.ts';

type Following = ReturnType<typeof follow>;

const chunksOf = ({ tailer, troubles }: Following, options: { window?: number; holdTimeout?: number } = {}) =>
  readChunks('sink', { tailer, troubles, window: 0x10000, ...options });

async function next(chunks: AsyncGenerator<Chunk>): Promise<Chunk> {
  const { value } = await chunks.next();
  if (!value) throw new Error('there is no chunk');
  return value;
}

test('bytes stay as they are until they are released, and are used again afterwards', async () => {
  await using directory = await scratch();
  const path = directory.join('app.log');
  await writeFile(path, Buffer.concat(Array.from({ length: 8 }, (_, index) => Buffer.alloc(0x10000, 97 + index))));
  const following = follow({ paths: [path] });
  await using tailer = following.tailer;
  await tailer.poll();
  const chunks = chunksOf(following);
  const held: Chunk[] = [];
  for (let index = 0; index < 4; index++) {
    const chunk = await next(chunks);
    chunk.take(chunk.bytes.length);
    held.push(chunk);
  }
  held.forEach((chunk, index) => {
    expect(chunk.bytes.equals(Buffer.alloc(0x10000, 97 + index))).toBe(true);
  });
  expect(new Set(held.map(({ bytes }) => bytes.buffer)).size).toBe(4);
  held[0]?.release();
  // Twice must not lend it twice.
  held[0]?.release();
  const fifth = await next(chunks);
  expect(fifth.bytes.buffer).toBe(held[0]?.bytes.buffer);
  fifth.take(fifth.bytes.length);
  expect((await next(chunks)).bytes.buffer).not.toBe(fifth.bytes.buffer);
  await chunks.return(undefined);
});

test('a hundred files with a line each do not cost a hundred windows', async () => {
  await using directory = await scratch();
  for (let file = 0; file < 100; file++) await writeFile(directory.join(`${file}.log`), 'a line\n');
  const following = follow({ paths: [directory.join('*.log')] });
  await using tailer = following.tailer;
  await tailer.poll();
  const chunks = chunksOf(following, { window: 0x100000 });
  let room = 0;
  for (let file = 0; file < 100; file++) {
    const chunk = await next(chunks);
    chunk.take(chunk.bytes.length);
    room += chunk.bytes.buffer.byteLength;
  }
  expect(room).toBeLessThanOrEqual(100 * 0x1000);
  await chunks.return(undefined);
});

test('content has one origin through renaming, copying and a restart, and another when it begins anew', async () => {
  await using directory = await scratch();
  const path = directory.join('app.log');
  await writeFile(path, 'one\n');
  const paths = [path];
  const first = follow({ paths });
  await first.tailer.poll();
  let chunks = chunksOf(first);
  const one = await next(chunks);
  finish(one);
  expect(one).toMatchObject({ origin: expect.stringMatching(/^[\w-]{11,}$/), offset: 0 });
  // In a copy, since the original is cut to nothing.
  await appendFile(path, 'two\n');
  await copyFile(path, directory.join('app.log.1'));
  await truncate(path);
  await appendFile(path, 'three\n');
  await first.tailer.poll();
  const two = await next(chunks);
  expect(two).toMatchObject({ origin: one.origin, offset: 4, bytes: Buffer.from('two\n') });
  const kept = JSON.parse(JSON.stringify(first.ledger.positions()));
  await chunks.return(undefined);
  await first.tailer[Symbol.asyncDispose]();

  await rename(directory.join('app.log.1'), directory.join('app.log.2'));
  const second = follow({ paths, kept });
  await second.tailer.poll();
  chunks = chunksOf(second);
  const again = await next(chunks);
  expect(again).toMatchObject({ origin: one.origin, offset: 4, bytes: Buffer.from('two\n') });
  finish(again);
  const three = await next(chunks);
  expect(three).toMatchObject({ offset: 0, bytes: Buffer.from('three\n') });
  expect(three.origin).not.toBe(one.origin);
  await chunks.return(undefined);
  await second.tailer[Symbol.asyncDispose]();
});

test('content that came and went by copytruncate between two looks is read from its copy', async () => {
  await using directory = await scratch();
  const path = directory.join('app.log');
  await writeFile(path, 'one\n');
  const following = follow({ paths: [path] });
  await using tailer = following.tailer;
  await tailer.poll();
  const chunks = chunksOf(following);
  finish(await next(chunks));
  await copyFile(path, directory.join('app.log.1'));
  await truncate(path);
  // Seen empty; the next content never is.
  await tailer.poll();
  await appendFile(path, 'two\n');
  await rename(directory.join('app.log.1'), directory.join('app.log.2'));
  await copyFile(path, directory.join('app.log.1'));
  await truncate(path);
  await appendFile(path, 'three\n');
  await tailer.poll();
  await expectInOrder(chunks, ['two\n', 'three\n']);
  // A copy of what it holds is no news.
  await copyFile(path, directory.join('app.log.3'));
  await appendFile(path, 'four\n');
  await tailer.poll();
  expect(String((await next(chunks)).bytes)).toBe('four\n');
  await chunks.return(undefined);
});

async function expectInOrder(chunks: ReturnType<typeof chunksOf>, contents: readonly string[]): Promise<void> {
  for (const content of contents) {
    const chunk = await next(chunks);
    expect(String(chunk.bytes)).toBe(content);
    finish(chunk);
  }
}

/** Until what is made from now on is younger than all there is. */
async function tick(directory: Scratch): Promise<void> {
  const made = async () => {
    await writeFile(directory.join('tick'), 'tock');
    return (await stat(directory.join('tick'))).mtimeMs;
  };
  const now = await made();
  await until(async () => (await made()) > now);
}

test('after a restart a copy is still read before what its original held later, whatever that is called', async () => {
  await using directory = await scratch();
  const path = directory.join('app.log');
  const paths = [path];
  await writeFile(path, 'one\n');
  const first = follow({ paths });
  await first.tailer.poll();
  await tick(directory);
  await copyFile(path, directory.join('app.log.1'));
  await truncate(path);
  await appendFile(path, 'two\n');
  await first.tailer.poll();
  const kept = JSON.parse(JSON.stringify(first.ledger.positions()));
  await first.tailer[Symbol.asyncDispose]();

  const second = follow({ paths, kept });
  await using tailer = second.tailer;
  await tailer.poll();
  await rename(directory.join('app.log.1'), directory.join('app.log.2'));
  await rename(path, directory.join('app.log.1'));
  await writeFile(path, 'three\n');
  await tailer.poll();
  const chunks = chunksOf(second);
  await expectInOrder(chunks, ['one\n', 'two\n', 'three\n']);
  await chunks.return(undefined);
});

test('what was rotated in whatever way while it was down is read in the order in which it was written', async () => {
  await using directory = await scratch();
  const path = directory.join('app.log');
  const paths = [path];
  await writeFile(path, 'one\n');
  const first = follow({ paths });
  await first.tailer.poll();
  const kept = JSON.parse(JSON.stringify(first.ledger.positions()));
  await first.tailer[Symbol.asyncDispose]();
  // The copy holds what is known; the original holds what follows, and is older than a file that follows it.
  await copyFile(path, directory.join('app.log.3'));
  await truncate(path);
  await appendFile(path, 'two\n');
  await rename(path, directory.join('app.log.2'));
  await writeFile(path, 'three\n');
  await rename(path, directory.join('app.log.1'));
  const second = follow({ paths, kept });
  await using tailer = second.tailer;
  await tailer.poll();
  const chunks = chunksOf(second);
  await expectInOrder(chunks, ['one\n', 'two\n', 'three\n']);
  await chunks.return(undefined);
});

test('what is renamed while it is found again after a restart is read before its successor', async () => {
  await using directory = await scratch();
  const path = directory.join('app.log');
  const paths = [path];
  await writeFile(path, '');
  const first = follow({ paths });
  await first.tailer.poll();
  const kept = JSON.parse(JSON.stringify(first.ledger.positions()));
  await first.tailer[Symbol.asyncDispose]();
  await appendFile(path, 'one\n');
  const looked = async () => {
    if (existsSync(directory.join('app.log.1'))) return;
    await rename(path, directory.join('app.log.1'));
    await writeFile(path, 'two\n');
  };
  const second = follow({ paths, kept, looked });
  await using tailer = second.tailer;
  await tailer.poll();
  const chunks = chunksOf(second);
  await expectInOrder(chunks, ['one\n']);
  await tailer.poll();
  await expectInOrder(chunks, ['two\n']);
  await chunks.return(undefined);
});

test('the next copy, made before the truncation for the last one was seen, holds nothing new', async () => {
  await using directory = await scratch();
  const path = directory.join('app.log');
  await writeFile(path, 'one\n');
  const following = follow({ paths: [path] });
  await using tailer = following.tailer;
  await tailer.poll();
  const chunks = chunksOf(following);
  finish(await next(chunks));
  await appendFile(path, 'two\n');
  await copyFile(path, directory.join('app.log.2'));
  await truncate(path);
  await appendFile(path, 'three\n');
  await copyFile(path, directory.join('app.log.1'));
  await tailer.poll();
  await truncate(path);
  await appendFile(path, 'four\n');
  await tailer.poll();
  await expectInOrder(chunks, ['two\n', 'three\n', 'four\n']);
  await chunks.return(undefined);
});

/** Something that happens between the look at a truncated file and that at its copies. */
function whileLooking({ ledger }: Following, happen: () => void): void {
  const newUnder = ledger.newUnder.bind(ledger);
  ledger.newUnder = (path) => {
    ledger.newUnder = newUnder;
    happen();
    return newUnder(path);
  };
}

test('what is copied and truncated twice while copies are looked for is read in its order', async () => {
  await using directory = await scratch();
  const path = directory.join('app.log');
  await writeFile(path, 'one\n');
  const following = follow({ paths: [path] });
  await using tailer = following.tailer;
  await tailer.poll();
  const chunks = chunksOf(following);
  await expectInOrder(chunks, ['one\n']);
  const rotate = (content: string) => {
    for (let older = 3; older >= 1; older--)
      if (existsSync(`${path}.${older}`)) renameSync(`${path}.${older}`, `${path}.${older + 1}`);
    copyFileSync(path, `${path}.1`);
    writeFileSync(path, content);
  };
  whileLooking(following, () => {
    rotate('three\n');
    rotate('four\n');
  });
  rotate('two\n');
  await tailer.poll();
  await tailer.poll();
  await expectInOrder(chunks, ['two\n', 'three\n', 'four\n']);
  await chunks.return(undefined);
});

test('what is written and copied while copies are looked for, to a file that was empty, is read once', async () => {
  await using directory = await scratch();
  const path = directory.join('app.log');
  await writeFile(path, 'one\n');
  const following = follow({ paths: [path] });
  await using tailer = following.tailer;
  await tailer.poll();
  const chunks = chunksOf(following);
  await expectInOrder(chunks, ['one\n']);
  whileLooking(following, () => {
    writeFileSync(path, 'two\n');
    copyFileSync(path, `${path}.1`);
  });
  copyFileSync(path, `${path}.2`);
  truncateSync(path);
  await tailer.poll();
  await tailer.poll();
  await expectInOrder(chunks, ['two\n']);
  await appendFile(path, 'three\n');
  await tailer.poll();
  await expectInOrder(chunks, ['three\n']);
  await chunks.return(undefined);
});

/** Lets something happen when it is asked or said, so many times, how much of a file was seen. */
function atPoint(account: Account, point: number, happen: () => void): void {
  let count = 0;
  const { size, head } = account;
  for (const [name, value] of Object.entries({ size, head })) {
    let now: unknown = value;
    const pass = () => {
      if (++count === point) happen();
    };
    Object.defineProperty(account, name, {
      get() {
        pass();
        return now;
      },
      set(next: unknown) {
        pass();
        now = next;
      },
    });
  }
}

test('truncated at whatever point of a look at what nobody has read yet, it is found in its copy', async () => {
  let point = 0;
  for (let happened = true; happened; ) {
    happened = false;
    await using directory = await scratch();
    const path = directory.join('app.log');
    await writeFile(path, 'one\n');
    const following = follow({ paths: [path] });
    await using tailer = following.tailer;
    await tailer.poll();
    const [account] = following.ledger.accounts;
    appendFileSync(path, 'two\n');
    atPoint(account!, ++point, () => {
      happened = true;
      copyFileSync(path, `${path}.1`);
      writeFileSync(path, 'three, four\n');
    });
    await tailer.poll();
    if (!happened) continue;
    await tailer.poll();
    const chunks = chunksOf(following);
    await expectInOrder(chunks, ['one\ntwo\n', 'three, four\n']);
    await chunks.return(undefined);
  }
  expect(point).toBeGreaterThan(8);
});

// Both are looked at by another thread: what is long, and what begins with a hole, of a writer that does not append.
test.each([
  { what: 'long', hole: '', one: `${'one '.repeat(0x8000)}\n` },
  { what: 'a hole', hole: '\0'.repeat(100), one: 'one\n' },
])(
  'what is truncated while its beginning is read, $what, is read before what comes after it',
  async ({ hole, one }) => {
    await using directory = await scratch();
    const path = directory.join('app.log');
    await writeFile(path, `${hole}${one}`);
    const following = follow({ paths: [path], sinks: ['sink', 'quick'] });
    await using tailer = following.tailer;
    await tailer.poll();
    const [chunks, quick] = ['sink', 'quick'].map((sink) => readChunks(sink, { ...following, window: 0x40000 })) as [
      ReturnType<typeof chunksOf>,
      ReturnType<typeof chunksOf>,
    ];
    await expectInOrder(quick, [one]);
    await appendFile(path, 'more\n');
    await tailer.poll();
    const reading = next(chunks);
    copyFileSync(path, `${path}.1`);
    truncateSync(path);
    appendFileSync(path, `${hole}two\n`);
    // Has its place lost before the other thread is done, and so the copy is found.
    await expectInOrder(quick, ['more\n', 'two\n']);
    const first = await reading;
    expect(String(first.bytes)).toBe(`${one}more\n`);
    finish(first);
    await expectInOrder(chunks, ['two\n']);
    await Promise.all([chunks, quick].map((each) => each.return(undefined)));
  },
);

test('two shippers give the same file different origins', async () => {
  await using directory = await scratch();
  const path = directory.join('app.log');
  await writeFile(path, 'one\n');
  const origins = new Set<string>();
  for (let shipper = 0; shipper < 2; shipper++) {
    const following = follow({ paths: [path] });
    await using tailer = following.tailer;
    await tailer.poll();
    origins.add((await next(chunksOf(following))).origin);
  }
  expect(origins.size).toBe(2);
});

test('what is not taken is offered again once, when its file has been quiet for long enough', async () => {
  await using directory = await scratch();
  const path = directory.join('app.log');
  await writeFile(path, 'one\n  at two\n');
  const following = follow({ paths: [path], poll: 20 });
  await using tailer = following.tailer;
  await tailer.start();
  const chunks = chunksOf(following, { holdTimeout: 300 });
  const first = await next(chunks);
  expect(first.quiet).toBeLessThan(300);
  first.take(4);
  first.release();
  const second = await next(chunks);
  expect(second).toMatchObject({ offset: 4, unfinished: 'held', bytes: Buffer.from('  at two\n') });
  expect(second.quiet).toBeGreaterThanOrEqual(300);
  // Neither now is it taken: nothing comes until there is more.
  const third = chunks.next();
  const first300ms = new Promise((resolve) => setTimeout(resolve, 600, 'nothing'));
  expect(await Promise.race([third, first300ms])).toBe('nothing');
  await appendFile(path, 'three\n');
  expect((await third).value).toMatchObject({ offset: 4, bytes: Buffer.from('  at two\nthree\n') });
  following.stop();
  expect(await next(chunks)).toMatchObject({ offset: 4, quiet: Number.POSITIVE_INFINITY });
  await chunks.return(undefined);
});

test('a generation that is renamed when it is about to be opened is met again under its next name', async () => {
  await using directory = await scratch();
  const path = directory.join('app.log');
  await writeFile(`${path}.2`, 'older\n');
  await tick(directory);
  await writeFile(`${path}.1`, 'younger\n');
  using files = new FollowedFiles({ ...surroundings, ledger: new Ledger(['sink'], unknown) }, () => undefined);
  const opened = files.generations(path, {
    isWanted: () => true,
    open({ path: name }) {
      if (!existsSync(`${path}.3`))
        for (const number of [2, 1]) renameSync(`${path}.${number}`, `${path}.${number + 1}`);
      return existsSync(name) ? files.open(name, path) : undefined;
    },
  });
  expect(opened.map((file) => file.name)).toEqual([`${path}.3`, `${path}.2`]);
  for (const file of opened) file[Symbol.dispose]();
});
