// Golden records: test/join/cases/<language>/<case>.records, with a line of four dashes between records.

import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type JoinOptions, joinOf, languageNames } from '../../src/join/index.ts';
import { contradictions, generous, growing, seen, whole } from './joining.ts';

const cases = new URL('cases/', import.meta.url);
const several = (options: object) => joinOf({ multiline: { lines: 500, ...options } } as JoinOptions)!;
const textsOf = (found: readonly { text: string; partial?: true }[]) =>
  found.map(({ text, partial }) => (partial ? `${text} (partial)` : text));

describe.for(languageNames)('%s', (language) => {
  const join = several({ language });
  const directory = new URL(`${language}/`, cases);
  for (const file of readdirSync(directory)) {
    const records = readFileSync(new URL(file, directory), 'latin1').slice(0, -1).split('\n----\n');
    const lines = records.join('\n').split('\n');

    test(file, () => {
      expect(textsOf(seen(whole(join, Buffer.from(`${records.join('\n')}\n`, 'latin1'))))).toEqual(records);
    });

    test(`${file}, however it grows`, () => {
      const content = Buffer.from(`${records.join('\n')}\n`, 'latin1');
      expect(textsOf(growing(join, content, [...content.keys()]))).toEqual(records);
      expect(contradictions(join, content, generous)).toEqual([]);
    });

    test(`${file}, with CRLF`, () => {
      const expected = records.map((record) => `${record}\n`.replaceAll('\n', '\r\n').slice(0, -1));
      expect(
        textsOf(seen(whole(join, Buffer.from(`${records.join('\n')}\n`.replaceAll('\n', '\r\n'), 'latin1')))),
      ).toEqual(expected);
    });

    test.for(['cri', 'docker'] as const)(`${file}, within %s, with another stream between its lines`, (envelope) => {
      const joined = joinOf({ envelope, multiline: { language, lines: 500 } })!;
      const wrap = (text: string, stream: string) =>
        envelope === 'cri'
          ? `2024-03-01T10:20:30.5Z ${stream} F ${text}\n`
          : `${JSON.stringify({ log: `${text}\n`, stream, time: '2024-03-01T10:20:30.5Z' })}\n`;
      const content = lines
        .map((line, at) => wrap(line, 'stderr') + (at % 3 === 1 ? wrap(`other ${at}`, 'stdout') : ''))
        .join('');
      const found = seen(whole(joined, Buffer.from(content, 'latin1')));
      expect(textsOf(found.filter(({ stream }) => stream === 'stderr'))).toEqual(records);
      expect(textsOf(found.filter(({ stream }) => stream === 'stdout'))).toEqual(
        lines.flatMap((_, at) => (at % 3 === 1 ? [`other ${at}`] : [])),
      );
      expect(contradictions(joined, Buffer.from(content, 'latin1'), generous)).toEqual([]);
    });
  }
});

test('there are cases for every language', () => {
  expect(readdirSync(cases).sort()).toEqual([...languageNames].sort());
});

describe('own patterns', () => {
  const content = '[1] one\ntwo\n\n[2] three\n[3] four\n';
  test('of what begins a record', () => {
    expect(textsOf(seen(whole(several({ start: '^\\[' }), `zero\n${content}`)))).toEqual([
      'zero',
      '[1] one\ntwo\n',
      '[2] three',
      '[3] four',
    ]);
  });
  test('of what continues one', () => {
    expect(textsOf(seen(whole(several({ continuation: '^[^\\[]' }), content)))).toEqual([
      '[1] one\ntwo',
      '',
      '[2] three',
      '[3] four',
    ]);
  });
  test('that are none, or take too long, are refused', () => {
    expect(() => several({ start: '(' })).toThrow('a regular expression is expected');
    expect(() => several({ continuation: '(?=a)' })).toThrow('linear time');
  });
});

test('without their carriage returns, plain or in an envelope', () => {
  const trace = ['Traceback (most recent call last):', '  File "a.py", line 1', 'ValueError: no', 'next'];
  const expected = [{ text: trace.slice(0, 3).join('\n') }, { text: 'next' }];
  const given = { multiline: { language: 'python', lines: 500 }, stripReturn: true } as const;
  expect(seen(whole(joinOf(given)!, trace.map((line) => `${line}\r\n`).join('')))).toEqual(expected);
  const cri = trace.map((line) => `2026-11-20T10:00:00.000000000Z stdout F ${line}\r\n`).join('');
  expect(seen(whole(joinOf({ ...given, envelope: 'cri' })!, cri))).toMatchObject(expected);
  const docker = (log: string) => JSON.stringify({ log, stream: 'stdout', time: '2026-11-20T10:00:00Z' });
  const json = trace.map((line) => `${docker(`${line}\r\n`)}\n`).join('');
  expect(seen(whole(joinOf({ ...given, envelope: 'docker' })!, json))).toMatchObject(expected);
});

describe('limits', () => {
  const java = several({ language: 'java', lines: 3 });
  const trace = 'a\n b\n c\n d\n e\n f\ng\n';
  test('a record that never ends is given in pieces, by lines', () => {
    expect(textsOf(seen(whole(java, trace)))).toEqual(['a\n b\n c (partial)', ' d\n e\n f', 'g']);
  });
  test('and by bytes', () => {
    const limits = { ...generous, record: 6 };
    expect(textsOf(seen(whole(several({ language: 'java' }), trace, limits)))).toEqual([
      'a\n b (partial)',
      ' c\n d (partial)',
      ' e\n f',
      'g',
    ]);
  });
  test('a line that is too long by itself comes in pieces, and what is before it is whole', () => {
    const limits = { ...generous, record: 4 };
    expect(textsOf(seen(whole(java, 'a\n 123456\n7\n', limits)))).toEqual(['a', ' 123 (partial)', '456', '7']);
  });
});

describe('waiting', () => {
  const java = several({ language: 'java' });
  const look = (content: string, how: object) => {
    const joined = java({ bytes: Buffer.from(content), unfinished: 'held', quiet: 0, full: false, ...how }, generous);
    return { texts: textsOf(seen(joined)), length: joined.length };
  };
  test('the last record may go on, and is held', () => {
    expect(look('a\nb\n\tc\n', {})).toEqual({ texts: ['a'], length: 2 });
  });
  test('until the time-out', () => {
    expect(look('a\nb\n\tc\nhalf', { quiet: 1000 })).toEqual({ texts: ['a', 'b\n\tc'], length: 7 });
  });
  test('until the file is at its end', () => {
    expect(look('b\n\tc\nhalf', { unfinished: 'line' })).toEqual({ texts: ['b\n\tc', 'half'], length: 9 });
  });
  test('until the window is full', () => {
    expect(look('b\n\tc\n', { full: true })).toEqual({ texts: ['b\n\tc'], length: 5 });
    expect(look('a\nb\n\tc\n', { full: true })).toEqual({ texts: ['a'], length: 2 });
    expect(look('half', { full: true })).toEqual({ texts: ['half (partial)'], length: 4 });
  });
  test('until the other stream has gone on for as long', () => {
    const joined = joinOf({ envelope: 'cri', multiline: { language: 'java', lines: 500 } })!;
    const line = (at: number, stream: string, text: string) => `2024-03-01T10:20:3${at}Z ${stream} F ${text}\n`;
    const content =
      line(0, 'stderr', 'trace') +
      line(0, 'stderr', '\tat') +
      line(0, 'stdout', 'a') +
      line(1, 'stdout', 'b') +
      line(1, 'stdout', 'c');
    const found = joined({ bytes: Buffer.from(content), unfinished: 'held', quiet: 0, full: false }, generous);
    expect(textsOf(seen(found))).toEqual(['trace\n\tat', 'a', 'b']);
    expect(found.length).toBe(content.length - line(1, 'stdout', 'c').length);
  });
});

test('plain lines are not copied', () => {
  const bytes = Buffer.from('a\n\tb\nc\n');
  expect(several({ language: 'java' })({ bytes, unfinished: 'line', quiet: 0, full: false }, generous).bytes).toBe(
    bytes,
  );
});

const words = [
  ...[
    'a',
    ' b',
    '\tat x',
    '',
    '\r',
    'Caused by: z',
    'Traceback (most recent call last):',
    '  File "x"',
    'E: y',
    'x'.repeat(30),
  ],
  ...['During handling of the above exception', 'panic: p', 'goroutine 1 [running]:', 'main.main()', "f.rb:1:in `x'"],
];

// A run that fails prints its seed and the smallest counterexample.
describe.for(languageNames)('whatever the lines are: %s', (language) => {
  const file = fc.array(fc.constantFrom(...words), { maxLength: 14 });
  const limits = fc.record({ record: fc.integer({ min: 4, max: 80 }), timeout: fc.constant(3000) });
  const most = fc.integer({ min: 1, max: 6 });

  test('however a file grows, its records are the same, and no byte is lost', () => {
    fc.assert(
      fc.property(file, fc.array(fc.nat(300), { maxLength: 10 }), limits, most, (lines, steps, limits, most) => {
        const join = several({ language, lines: most });
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const found = seen(whole(join, bytes, limits));
        expect(growing(join, bytes, steps, limits)).toEqual(found);
        expect(contradictions(join, bytes, limits)).toEqual([]);
        expect(
          found
            .map(({ text }) => text)
            .join('')
            .replaceAll('\n', ''),
        ).toBe(lines.join(''));
        for (const { text } of found) {
          expect(text.length).toBeLessThanOrEqual(limits.record);
          expect(text.split('\n').length).toBeLessThanOrEqual(most);
        }
      }),
      { numRuns: 400, verbose: 1 },
    );
  });

  test('the same within cri, in two streams', () => {
    const line = fc.tuple(
      fc.integer({ min: 0, max: 9 }),
      fc.constantFrom('stdout', 'stderr'),
      fc.constantFrom('F', 'F', 'F', 'P'),
      fc.constantFrom(...words),
    );
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 14 }).map(inTime),
        fc.array(fc.nat(600), { maxLength: 10 }),
        limits,
        most,
        (lines, steps, limits, most) => {
          const join = joinOf({ envelope: 'cri', multiline: { language, lines: most } })!;
          const bytes = Buffer.from(
            lines.map(([at, stream, tag, text]) => `2024-03-01T10:20:3${at}Z ${stream} ${tag} ${text}\n`).join(''),
          );
          expect(growing(join, bytes, steps, limits)).toEqual(seen(whole(join, bytes, limits)));
          expect(contradictions(join, bytes, limits)).toEqual([]);
        },
      ),
      { numRuns: 400, verbose: 1 },
    );
  });
});

/** A clock that goes back may end what is joined sooner after a restart, which shows in the mark of a part only. */
function inTime<T extends readonly unknown[]>(lines: [number, ...T][]): [number, ...T][] {
  const times = lines.map(([at]) => at).sort((a, b) => a - b);
  return lines.map(([, ...rest], index) => [times[index]!, ...rest]);
}
