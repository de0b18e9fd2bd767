import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joinOf } from '../../src/join/index.ts';
import { contradictions, generous, growing, seen, whole } from './joining.ts';

const cri = joinOf({ envelope: 'cri' })!;
const docker = joinOf({ envelope: 'docker' })!;

/** One second later each: `at` in seconds. */
const stamp = (at: number) => new Date(1_700_000_000_000 + at * 1000).toISOString();
const criLine = (at: number, stream: string, tag: string, text: string) => `${stamp(at)} ${stream} ${tag} ${text}\n`;
const dockerLine = (at: number, stream: string, log: string) => `${JSON.stringify({ log, stream, time: stamp(at) })}\n`;

const texts = (content: string, join = cri, limits = generous) =>
  seen(whole(join, content, limits)).map(({ text, partial, error, stream }) =>
    [stream?.slice(3), text, partial && 'partial', error && 'error'].filter((part) => part !== undefined).join(' '),
  );

describe('cri', () => {
  test('a whole line lies where it was, with its stream and its time', () => {
    const content = '2016-10-06T00:17:09.669794202Z stdout F log content 1\n2016-10-06T02:17:09+02:00 stderr F \n';
    const bytes = Buffer.from(content);
    const joined = cri({ bytes, unfinished: 'held', quiet: 0, full: false }, generous);
    expect(joined.bytes).toBe(bytes);
    expect(seen(joined)).toEqual([
      { text: 'log content 1', stream: 'stdout', time: '1475713029.669794202' },
      { text: '', stream: 'stderr', time: '1475713029.000000000' },
    ]);
    expect([...joined.ends]).toEqual([54, content.length]);
  });

  test('pieces are joined by stream, and the time is that of the first', () => {
    const content = [
      criLine(1, 'stdout', 'P', 'one '),
      criLine(1, 'stderr', 'F', 'other'),
      criLine(1, 'stdout', 'F', 'line'),
    ].join('');
    const joined = whole(cri, content);
    expect(texts(content)).toEqual(['err other', 'out one line']);
    // The first of the two may be acknowledged only with the second, in whose midst it lies.
    expect([...joined.ends]).toEqual([0, content.length]);
    expect([...joined.starts!]).toEqual([content.indexOf('\n') + 1, 0]);
  });

  test.for([
    ['cri', cri, criLine(1, 'stdout', 'F', 'a'.repeat(100))],
    ['docker', docker, dockerLine(1, 'stdout', 'a'.repeat(100))],
  ] as const)(
    'pieces of a line that is too long have places of their own, though they hold the same: %s',
    ([, join, content]) => {
      const { starts, spans } = whole(join, content, { record: 16, timeout: 1000 });
      expect(spans).toHaveLength(14);
      expect(new Set(starts).size).toBe(7);
      expect(starts?.every((start) => start < content.length)).toBe(true);
    },
  );

  test('what is not complete holds back what is behind it', () => {
    const content = [
      criLine(1, 'stdout', 'F', 'done'),
      criLine(1, 'stdout', 'P', 'half'),
      criLine(1, 'stderr', 'F', 'other'),
    ].join('');
    const joined = cri({ bytes: Buffer.from(content), unfinished: 'held', quiet: 0, full: false }, generous);
    expect(seen(joined).map(({ text }) => text)).toEqual(['done']);
    expect(joined.length).toBe(content.indexOf('\n') + 1);
  });

  test.for([
    ['after the time-out', { quiet: 1000 }],
    ['at rotation', { unfinished: 'line' }],
    ['when the window is full', { full: true }],
  ] as const)('pieces without an end are given %s', ([, how]) => {
    const content =
      criLine(1, 'stdout', 'P', 'one ') + criLine(1, 'stdout', 'P', 'two') + criLine(1, 'stderr', 'F', 'other');
    const joined = cri({ bytes: Buffer.from(content), unfinished: 'held', quiet: 0, full: false, ...how }, generous);
    expect(seen(joined)).toMatchObject([{ text: 'one two', partial: true }, { text: 'other' }]);
    expect(joined.length).toBe(content.length);
  });

  test('a stream that goes on for as long as the time-out ends the wait for the other', () => {
    const content =
      criLine(1, 'stderr', 'P', 'half') +
      criLine(1.5, 'stdout', 'F', 'a') +
      criLine(2, 'stdout', 'F', 'b') +
      criLine(2, 'stdout', 'F', 'c');
    const joined = cri({ bytes: Buffer.from(content), unfinished: 'held', quiet: 0, full: false }, generous);
    expect(seen(joined)).toMatchObject([{ text: 'half', partial: true }, { text: 'a' }, { text: 'b' }, { text: 'c' }]);
  });

  test('what is longer than the limit comes in pieces', () => {
    const limits = { ...generous, record: 8 };
    const chain = ['aaaa', 'bbbb', 'cccc', 'd']
      .map((text, at) => criLine(1, 'stdout', at === 3 ? 'F' : 'P', text))
      .join('');
    expect(texts(chain, cri, limits)).toEqual(['out aaaabbbb partial', 'out ccccd']);
    expect(texts(criLine(1, 'stdout', 'F', 'aaaaaaa\u20acbb'), cri, limits)).toEqual([
      'out aaaaaaa partial',
      'out \u00e2\u0082\u00acbb',
    ]);
    expect(texts(criLine(1, 'stdout', 'P', '123456789') + criLine(1, 'stdout', 'F', 'x'), cri, limits)).toEqual([
      'out 12345678 partial',
      'out 9 partial',
      'out x',
    ]);
  });

  test('a line that fills the window is given as far as it goes, and the next is intact', () => {
    const content = Buffer.from(criLine(1, 'stdout', 'F', 'x'.repeat(100)) + criLine(1, 'stdout', 'F', 'next'));
    const found = [];
    for (let from = 0; from < content.length; ) {
      const bytes = content.subarray(from, from + 64);
      const joined = cri({ bytes, unfinished: 'held', quiet: 0, full: true }, { ...generous, record: 40 });
      expect(joined.length).toBeGreaterThan(0);
      found.push(...seen(joined));
      from += joined.length;
    }
    expect(found.map(({ text }) => text).join('')).toBe(`${'x'.repeat(100)}next`);
    expect(found.at(-1)).toMatchObject({ text: 'next', stream: 'stdout' });
  });

  test.for([
    '',
    'no',
    '2016-10-06T00:17:09Z stdout',
    '2016-10-06T00:17:09Z stdout X y',
    '2016-10-06T00:17:09Z stdin F y',
    '2016-13-06T00:17:09Z stdout F y',
  ])('a line that is none stays as it is: "%s"', (line) => {
    expect(texts(`${line}\n${criLine(1, 'stdout', 'F', 'next')}`)).toEqual([
      `${line} error`.trimStart().replace(/^error$/, ' error'),
      'out next',
    ]);
  });
});

describe('docker', () => {
  test('lines, pieces and escapes', () => {
    const content = [
      dockerLine(1, 'stdout', 'plain\n'),
      dockerLine(1, 'stderr', 'half '),
      dockerLine(1, 'stdout', 'a "quoted" \\ \u00e9\t\u{1f600} </b>\n'),
      dockerLine(1, 'stderr', 'line\n'),
      '{"log":"\\u003ca\\u003e\\ud83d\\ude00\\ud800\\u00e9\\/\\n","stream":"stdout","attrs":{"a":"b"},"time":"2016-10-06T00:17:09.669794202Z"}\n',
      ' {"time":"2016-10-06T00:17:09Z", "stream":"stderr", "log":"other order\\n"}\n',
      '{"log":"no stream\\n"}\n',
    ].join('');
    const found = seen(whole(docker, content)).map(({ text, ...more }) => ({
      text: Buffer.from(text, 'latin1').toString(),
      ...more,
    }));
    expect(found).toEqual(
      [
        { text: 'plain', stream: 'stdout', time: '1700000001.000000000' },
        { text: 'a "quoted" \\ \u00e9\t\u{1f600} </b>', stream: 'stdout', time: '1700000001.000000000' },
        { text: 'half line', stream: 'stderr', time: '1700000001.000000000' },
        { text: '<a>\u{1f600}\ufffd\u00e9/', stream: 'stdout', time: '1475713029.669794202' },
        { text: 'other order', stream: 'stderr', time: '1475713029.000000000', error: undefined },
        { text: 'no stream' },
      ].map((record) => JSON.parse(JSON.stringify(record))),
    );
  });

  test.for([
    '',
    '{',
    '{}',
    '[]',
    'null',
    '{"log":1}',
    '{"log":"a',
    '{"log":"\\x"}',
    '{"log":"\\u12","stream":"stdout","time":"2016-10-06T00:17:09Z"}',
    'text',
    '{"log":"a\\n","stream":"stdout","time":"2016',
  ])('a malformed line stays as it is: %s', (line) => {
    const found = seen(whole(docker, `${line}\n${dockerLine(1, 'stdout', 'next\n')}`));
    expect(found).toMatchObject([{ text: line, error: "Not a line of Docker's json-file" }, { text: 'next' }]);
  });

  test('any text comes out as it went in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const [found] = seen(whole(docker, dockerLine(1, 'stdout', `${text}\n`)));
        expect(Buffer.from(found!.text, 'latin1').toString()).toBe(text.toWellFormed());
      }),
      { numRuns: 2000, verbose: 1 },
    );
  });
});

const content = fc
  .array(fc.constantFrom('a', 'bb', 'cccc', '\u20ac', '', 'dddddddddd'), { maxLength: 3 })
  .map((parts) => parts.join(''));
const stream = fc.constantFrom('stdout', 'stderr');
const seconds = fc.integer({ min: 0, max: 20 });

const kinds = {
  cri: {
    join: cri,
    line: fc.oneof(
      {
        weight: 9,
        arbitrary: fc.tuple(seconds, stream, fc.constantFrom('F', 'P', 'P'), content).map((line) => criLine(...line)),
      },
      { weight: 1, arbitrary: content.map((text) => `${text}\n`) },
    ),
  },
  docker: {
    join: docker,
    line: fc.oneof(
      {
        weight: 9,
        arbitrary: fc
          .tuple(seconds, stream, content, fc.constantFrom('\n', '', ''))
          .map(([at, name, text, end]) => dockerLine(at, name, text + end)),
      },
      { weight: 1, arbitrary: content.map((text) => `${text}\n`) },
    ),
  },
};

// A run that fails prints its seed and the smallest counterexample.
describe.for(Object.entries(kinds))('%s', ([, { join, line }]) => {
  const file = fc.tuple(fc.array(line, { maxLength: 12 }), fc.boolean()).map(([lines, ended]) => {
    const bytes = Buffer.from(lines.join(''));
    return ended ? bytes : bytes.subarray(0, Math.max(0, bytes.length - 3));
  });

  test('however a file grows, its records are the same', () => {
    fc.assert(
      fc.property(
        file,
        fc.array(fc.nat(1200), { maxLength: 20 }),
        fc.integer({ min: 4, max: 40 }),
        (bytes, steps, record) => {
          const limits = { record, timeout: 3000 };
          expect(growing(join, bytes, steps, limits)).toEqual(seen(whole(join, bytes, limits)));
        },
      ),
      { numRuns: 1500, verbose: 1 },
    );
  });

  test('at every byte', () => {
    fc.assert(
      fc.property(file, fc.integer({ min: 4, max: 40 }), (bytes, record) => {
        const limits = { record, timeout: 3000 };
        expect(growing(join, bytes, [...bytes.keys()], limits)).toEqual(seen(whole(join, bytes, limits)));
      }),
      { numRuns: 50, verbose: 1 },
    );
  });

  test('wherever it is begun again after an acknowledgement, nothing is lost or torn', () => {
    fc.assert(
      fc.property(file, fc.integer({ min: 4, max: 40 }), (bytes, record) => {
        expect(contradictions(join, bytes, { record, timeout: 3000 })).toEqual([]);
      }),
      { numRuns: 500, verbose: 1 },
    );
  });
});

test('many lines of a container at once are what they are one by one', () => {
  const zones = fc.constantFrom('Z', 'Z', 'Z', 'Z', '+02:00', '-11:30', '', ' UTC', 'z');
  const fractions = fc.constantFrom(
    '',
    '.5',
    '.669794202',
    '.6697942021',
    '.',
    `.${'1'.repeat(14)}`,
    `.${'1'.repeat(20)}`,
  );
  const tags = fc.constantFrom('F', 'F', 'F', 'F', 'F', 'F', 'P', 'F:x', 'Fx', 'G', '');
  const texts = fc.oneof(
    fc.nat(300).map((length) => ` ${'x'.repeat(length)}`),
    fc.constantFrom('', ' ', '  two', ' \r', ` ${'y'.repeat(70_000)}`),
  );
  const odd = fc
    .tuple(fc.nat(59), fractions, zones, fc.constantFrom('stdout', 'stderr', 'stdin', 'stdout '), tags, texts)
    .map(([at, fraction, zone, name, tag, text]) => {
      const time = `2026-01-02T03:04:${String(at).padStart(2, '0')}${fraction}${zone}`;
      return `${time} ${name} ${tag}${text}\n`;
    });
  const usual = fc
    .tuple(fc.nat(2000), fc.nat(59), stream)
    .map(([count, at, name]) => criLine(at, name, 'F', 'z'.repeat(count % 90)).repeat(count));
  const pieces = fc.oneof(
    { weight: 3, arbitrary: odd },
    { weight: 2, arbitrary: usual },
    { weight: 1, arbitrary: content },
  );
  fc.assert(
    fc.property(fc.array(pieces, { minLength: 1, maxLength: 12 }), fc.constantFrom(80, 1 << 20), (all, record) => {
      const limits = { record, timeout: 3000 };
      const bytes = Buffer.from(all.join(''));
      const steps = Array.from({ length: Math.ceil(bytes.length / 500) }, (_, at) => 500 * at);
      expect(seen(whole(cri, bytes, limits))).toEqual(growing(cri, bytes, steps, limits));
    }),
    { numRuns: 100, verbose: 1 },
  );
});
