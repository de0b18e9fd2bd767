import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { AccessLog, type AccessOutcome } from '../src/access-log.ts';
import { Outlet } from '../src/outlet.ts';

const entry = {
  ...{ began: new Date(0), method: 'GET', host: 'a', protocol: 'HTTP/1.1', client: '127.0.0.1:1' },
  ...{ forwardedFor: undefined, traceparent: undefined },
};
const outcome: AccessOutcome = { status: 200, receivedBytes: 0, sentBytes: 0, milliseconds: 1 };

/** Which of so many requests have a line. */
async function written(share: string, times: number, status = (_: number) => 200): Promise<number[]> {
  let text = '';
  const log = new AccessLog(
    () => share,
    (lines) => {
      text += lines;
    },
  );
  for (let i = 1; i <= times; i++)
    if (log.on) log.write({ ...entry, path: String(i) }, { ...outcome, status: status(i) });
  await log[Symbol.asyncDispose]();
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => Number(JSON.parse(line).path));
}

const everyNth = (n: number, times: number) => Array.from({ length: times / n }, (_, i) => (i + 1) * n);

test.each([
  ['10%', 10],
  ['1%', 100],
  ['20%', 5],
  ['0.1%', 1000],
  ['0.5%', 200],
  ['on', 1],
  ['100%', 1],
])('%s is every %sth request, however many there were', async (share, n) => {
  expect(await written(share, 10_000)).toEqual(everyNth(n, 10_000));
});

test.each([
  ['off', 0],
  ['0%', 0],
  ['33.3%', 3330],
  ['0.001%', 0],
  ['100.5%', 10_000],
])('%s of 10000 are %s', async (share, lines) => {
  expect(await written(share, 10_000)).toHaveLength(lines);
});

test('a failure of the server has its line whatever the share, a mistake of the client has not', async () => {
  const statuses = [404, 499, 500, 502, 503, 504, 200];
  expect(await written('1%', 7, (i) => statuses[i - 1]!)).toEqual([3, 4, 5, 6]);
});

test('the lines of one turn leave together, many at once in parts, and all are counted', async () => {
  const writes: number[] = [];
  const log = new AccessLog(
    () => 'on',
    (_, count) => writes.push(count),
  );
  for (let i = 0; i < 3; i++) log.write({ ...entry, path: '/' }, outcome);
  expect(writes).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(writes).toEqual([3]);
  for (let i = 0; i < 20; i++) log.write({ ...entry, path: 'x'.repeat(8192) }, outcome);
  expect(writes).toEqual([3, 8, 8]);
  await log[Symbol.asyncDispose]();
  expect(writes).toEqual([3, 8, 8, 4]);
});

/** A stream whose reader takes what there is when it is told to. */
function readerOf() {
  const takes: (() => void)[] = [];
  const stream = new Writable({ decodeStrings: false, write: (_octets, _encoding, done) => void takes.push(done) });
  const lost: number[] = [];
  const warnings: string[] = [];
  const outlet = new Outlet(stream, { dropped: (lines) => lost.push(lines), warn: (cause) => warnings.push(cause) });
  const read = async () => {
    for (let take = takes.shift(); take; take = takes.shift()) {
      take();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { stream, outlet, lost, warnings, read };
}

const half = 'x'.repeat(1 << 19);

test('what is not read is dropped from 1 MiB on, said once, and taken again when it has been read', async () => {
  const { stream, outlet, lost, warnings, read } = readerOf();
  for (let i = 0; i < 100; i++) outlet.write(half, 5);
  expect(stream.writableLength).toBe(3 * half.length);
  expect(lost).toEqual(Array(97).fill(5));
  expect(warnings).toEqual(['it is not read fast enough']);
  await read();
  outlet.write(half, 5);
  expect(lost).toHaveLength(97);
  for (let i = 0; i < 9; i++) outlet.write(half, 5);
  expect(warnings).toHaveLength(2);
});

test('a reader that has gone is said once, and nothing is written any more', async () => {
  const { stream, outlet, lost, warnings } = readerOf();
  stream.destroy(new Error('write EPIPE'));
  await new Promise((resolve) => setImmediate(resolve));
  outlet.write('a\nb\n', 2);
  outlet.write('c\n', 1);
  expect({ lost, warnings }).toEqual({ lost: [2, 1], warnings: ['write EPIPE'] });
  await outlet.end();
});

test('the end waits for the reader, but not for ever', async () => {
  const { outlet, read } = readerOf();
  outlet.write('a\n', 1);
  const ended = outlet.end();
  expect(await Promise.race([ended, new Promise((resolve) => setImmediate(resolve, 'waits'))])).toBe('waits');
  await read();
  expect(await ended).toBeUndefined();
  const stuck = readerOf();
  stuck.outlet.write('a\n', 1);
  await stuck.outlet.end();
});
