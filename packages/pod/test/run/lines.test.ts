import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { Lines } from '../../src/run/log/lines.ts';
import { MergedLog } from '../../src/run/log/merged-log.ts';

test('lines come out whole however the bytes come in', () => {
  const text = 'first\nzweite: äöü€𝄞\n\nlast with \r inside\r\nend';
  const bytes = Buffer.from(text);
  for (let size = 1; size <= bytes.length; size++) {
    const lines: string[] = [];
    const splitter = new Lines((line) => lines.push(line));
    for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size));
    splitter.end();
    expect(lines).toEqual(['first', 'zweite: äöü€𝄞', '', 'last with \r inside', 'end']);
  }
});

test('a line that never ends is cut before it fills the memory', () => {
  const lines: string[] = [];
  const splitter = new Lines((line) => lines.push(line));
  for (let index = 0; index < 100; index++) splitter.push(Buffer.alloc(10_000, 'x'));
  splitter.end();
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.join('')).toHaveLength(1_000_000);
});

function openLog(options: { pretty?: boolean; colours?: boolean } = {}) {
  const output = { text: '' };
  const log = new MergedLog({
    write: (text) => {
      output.text += text;
    },
    names: ['app', 'monitor'],
    pretty: options.pretty ?? false,
    colours: options.colours ?? false,
  });
  return { log, output };
}

test('partial lines of two containers are never mixed, and the last ones are not lost', async () => {
  const { log, output } = openLog();
  const [one, two] = [new PassThrough(), new PassThrough()];
  log.follow('app', one, false);
  log.follow('monitor', two, false);
  for (const part of ['one ', 'line', ' of the app\nanother']) one.write(part);
  two.write('mon');
  two.write('itor\nrest');
  one.end();
  two.end();
  await Promise.all([finished(one), finished(two)]);
  expect(output.text.split('\n').toSorted()).toEqual([
    '',
    'app       | another',
    'app       | one line of the app',
    'monitor   | monitor',
    'monitor   | rest',
  ]);
});

const event = {
  level: 'warn',
  time: '2026-11-20T20:08:58.857Z',
  role: 'monitor',
  message: 'Bad \u001b[2J thing',
  path: '/a b',
  count: 3,
  code: 'X_Y',
};

test('a JSON line of a sidecar is shown as text, and cannot move the cursor', async () => {
  const { log, output } = openLog({ pretty: true });
  const stream = new PassThrough();
  log.follow('monitor', stream, true);
  stream.end(`${JSON.stringify(event)}\n{"not":"an event"}\n{broken\n`);
  await finished(stream);
  expect(output.text).toBe(
    'monitor   | 20:08:58.857 warn  Bad \\u001b[2J thing path="/a b" count=3 code=X_Y\n' +
      'monitor   | {"not":"an event"}\nmonitor   | {broken\n',
  );
});

test('the lines of an application stay as they are', async () => {
  const { log, output } = openLog({ pretty: true });
  const stream = new PassThrough();
  log.follow('app', stream, false);
  stream.end(`${JSON.stringify(event)}\n`);
  await finished(stream);
  expect(output.text).toBe(`app       | ${JSON.stringify(event)}\n`);
});

test('each container has its colour when colours are wanted', () => {
  const { log, output } = openLog({ colours: true });
  log.say('hello');
  expect(output.text).toContain('\u001b[1moutrigger\u001b[0m');
});
