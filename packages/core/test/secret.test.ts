import { rm, utimes, writeFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Secret } from '../src/index.ts';
import { scratch } from '../src/testing/scratch.ts';
import { until } from '../src/testing/until.ts';
import { makeVolume } from '../src/testing/volume.ts';

test('it is shown by nothing that prints a value', () => {
  const secret = Secret.of('hush-hush');
  const logged: string[] = [];
  const log = pino({}, { write: (line: string) => logged.push(line) });
  log.info({ secret, nested: { list: [secret] } }, 'said');
  log.info(secret, 'said');
  const shown = [
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ secret }, { showHidden: true, depth: 9, customInspect: false }),
    String(secret),
    `${secret}`,
    `${secret as unknown as string}${''}`,
    inspect(structuredClone(secret)),
    inspect({ ...secret }),
    Object.entries(secret).join(),
    new Error(`about ${secret}`, { cause: secret }).stack ?? '',
    inspect(new Error('about', { cause: secret })),
    ...logged,
  ];
  expect(shown.filter((each) => each.includes('hush'))).toEqual([]);
});

test.each<[what: string, content: string | Buffer, problem: string]>([
  ['empty', '\n', 'is empty'],
  ['of two lines', 'a\nb\n', 'holds a line break or a NUL byte inside, one line is expected'],
  ['with a carriage return', 'a\rb', 'holds a line break or a NUL byte inside, one line is expected'],
  ['with a NUL byte', 'a\0b', 'holds a line break or a NUL byte inside, one line is expected'],
  ['too large', 'x'.repeat(64 * 1024 + 1), 'is larger than 64KiB'],
  ['not text', Buffer.from([0xff, 0xfe]), 'is no UTF-8 text'],
])('a file that is %s is refused', async (_, content, problem) => {
  await using directory = await scratch();
  await writeFile(directory.join('secret'), content);
  expect(Secret.fromFile(directory.join('secret')).problem()).toBe(problem);
});

test('what is no file is refused, without waiting for a pipe to be written to', async () => {
  await using directory = await scratch();
  expect(Secret.fromFile(directory.join('missing')).problem()).toBe('no such file');
  expect(Secret.fromFile(directory.path).problem()).toBe('is a directory, a file is expected');
  expect(Secret.fromFile('/dev/zero').problem()).toBe('is no regular file');
});

test('one newline at the end is not part of it, from a variable neither', () => {
  expect(Secret.of('a \n').read()).toBe('a ');
  expect(Secret.of('a\nb').problem()).toContain('one line is expected');
});

test('a rotation by the ..data swap is noticed, though size and time are the same', async () => {
  await using directory = await scratch();
  const file = directory.join('secret');
  const time = new Date('2026-11-01T00:00:00Z');
  const volume = await makeVolume(directory.path, { secret: 'first\n' });
  await utimes(file, time, time);
  const secret = Secret.fromFile(file);
  expect(secret.read()).toBe('first');
  await volume.swap({ secret: 'other\n' });
  await utimes(file, time, time);
  expect(secret.read()).toBe('other');
});

test('while its file is missing, empty or half written the last value serves', async () => {
  await using directory = await scratch();
  const file = directory.join('secret');
  await writeFile(file, 'first\n');
  const secret = Secret.fromFile(file);
  expect(secret.read()).toBe('first');
  await rm(file);
  expect(secret.read()).toBe('first');
  await writeFile(file, '');
  expect(secret.read()).toBe('first');
  await writeFile(file, 'sec');
  expect(secret.read()).toBe('first');
  await writeFile(file, 'second\n');
  const seen = new Set<string>();
  await until(() => seen.add(secret.read()).has('second'));
  expect([...seen]).toEqual(['first', 'second']);
});
