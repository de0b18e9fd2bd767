// The shipper behind a pipe, as a process: its standard input is the other's output.

import { once } from 'node:events';
import { scratch, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { contentOf, startPushed } from './pushed.ts';

const sequence = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`);
const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');

test('it reads to the end of its input, the last line too, and then ends', async () => {
  await using directory = await scratch();
  await using peer = await startPushed('stdin', directory.path, {}, { input: true });
  peer.process.stdin!.end(`${text(sequence(1, 50_000))}the last words`);
  expect(await peer.exited).toEqual({ code: 0, signal: null });
  expect((await contentOf(directory.path)).map(({ fields }) => fields.log)).toEqual([
    ...sequence(1, 50_000),
    'the last words',
  ]);
});

test('told to stop while its input goes on, it keeps what it has read and ends', async () => {
  await using directory = await scratch();
  await using peer = await startPushed('stdin', directory.path, {}, { input: true });
  const input = peer.process.stdin!;
  if (!input.write(text(sequence(1, 1000)))) await once(input, 'drain');
  await until(async () => (await contentOf(directory.path)).length === 1000);
  peer.kill('SIGTERM');
  expect(await peer.exited).toEqual({ code: 0, signal: null });
});
