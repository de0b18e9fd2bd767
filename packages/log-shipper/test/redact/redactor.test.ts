import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ownPattern } from '../../src/redact/own-pattern.ts';
import { Redactor } from '../../src/redact/redactor.ts';
import { Budget } from '../../src/redact/rule.ts';
import { ruleNames, rulesOf, usual } from '../../src/redact/rules.ts';
import { evasions, negatives, positives, token } from './corpus.ts';

function redactor(rules = rulesOf(usual)) {
  const counts: Record<string, number> = {};
  const one = new Redactor(rules, (name) => {
    counts[name] = (counts[name] ?? 0) + 1;
  });
  return {
    counts,
    prefilter: one.prefilter,
    text: (text: string) => one.text(text, new Budget(10_000)),
    value: (value: unknown) => one.value(value, new Budget(10_000)),
  };
}

const { text: quick, value, prefilter } = redactor();

/** As a line: what the prefilter cannot see of it is known by its length. */
const text = (line: string) => (/^[A-Za-z0-9+/]{64}\r?$/.test(line) ? redactor(unfiltered()).text(line) : quick(line));

const unfiltered = (): ReturnType<typeof rulesOf> => [
  ...rulesOf(usual),
  { name: 'none', looks: 'always', find: () => undefined },
];

describe('the corpus', () => {
  test.each(positives)('%j', (line, expected) => {
    expect(text(line)).toBe(expected);
    // What is redacted already stays as it is.
    expect(text(expected)).toBe(expected);
  });

  test.each(negatives)('%j is left alone', (line) => {
    expect(text(line)).toBe(line);
  });

  test.each(evasions)('%j', (line, secret) => {
    expect(text(line)).not.toContain(secret);
    if (!line.startsWith('{')) return;
    expect(JSON.stringify(value(JSON.parse(line)))).not.toContain(secret);
    expect(JSON.stringify(JSON.parse(text(line)))).not.toContain(secret);
  });

  test('what was JSON is JSON afterwards', () => {
    for (const [line] of [...positives, ...evasions])
      if (/^[[{]/.test(line) && !line.includes("'")) expect(() => JSON.parse(text(line)), line).not.toThrow();
  });
});

describe('the prefilter', () => {
  const place = (line: string, before: number, behind: number) => {
    const bytes = Buffer.from(`${'~'.repeat(before)}\n${line}\n${'~'.repeat(behind)}`);
    const start = before + 1;
    const spans = [
      0,
      before,
      start,
      start + Buffer.byteLength(line),
      start + Buffer.byteLength(line) + 1,
      bytes.length,
    ];
    return { bytes, spans };
  };

  test('marks every line that holds a secret, wherever it lies in memory', () => {
    // Single lines of keys are known by their length, and objects by their keys.
    for (const [line] of [...positives, ...evasions])
      for (let at = 0; at < 8; at++) {
        const { bytes, spans } = place(line, at, 5);
        const marks = new Uint8Array(3);
        prefilter!.mark(bytes, spans, marks);
        if (/^[A-Za-z0-9+/]{64}$/.test(line) || line.startsWith('AAAA')) continue;
        // A word may begin in the line before.
        expect([line, at, ...marks.subarray(1)]).toEqual([line, at, 1, 0]);
        expect(prefilter!.test(`${'~'.repeat(at)}${line}`)).toBe(true);
      }
  });

  test('marks every key that names a secret, wherever it lies in memory', () => {
    const words =
      'password passwords passwd passwds passphrase passphrases secret secrets token api_key apikey api-key api.key';
    const more = 'access_key accesskey private_key privatekey privateKey secret_key secretkey credential credentials';
    const keys = `${words} ${more} pwd authorization password1 token22 secret3 apikey4 SecretKey`.split(' ');
    for (const key of keys)
      for (const before of key === 'pwd' ? [''] : ['', 'x', 'db_', 'my-', 'aws.'])
        for (let at = 0; at < 8; at++) {
          const object = { [`${before}${key}`]: 'v' };
          expect(value(object)).not.toBe(object);
          const { bytes, spans } = place(JSON.stringify(object), at, 5);
          const marks = new Uint8Array(3);
          prefilter!.mark(bytes, spans, marks);
          expect([before, key, at, ...marks.subarray(1)]).toEqual([before, key, at, 1, 0]);
        }
  });

  test('marks no ordinary line', () => {
    const lines = [
      '2026-11-21T23:38:41.123Z INFO  [exec-7] com.example.billing.Invoices - GET /api/v1/invoices/8231 served 200',
      '{"time":"2026-11-21T23:38:41.123Z","level":"info","message":"GET /api/v1/invoices/8231 served","status":200}',
      '10.0.0.1 - - [21/Nov/2026:23:38:41 +0000] "GET / HTTP/1.1" 200 612 "-" "curl/8.5.0"',
    ];
    for (const line of lines) {
      const marks = new Uint8Array(3);
      const { bytes, spans } = place(line, 3, 3);
      prefilter!.mark(bytes, spans, marks);
      expect([line, ...marks]).toEqual([line, 0, 0, 0]);
    }
  });

  test('looks at lines only, and at all of them', () => {
    const bytes = Buffer.from('password=a|nothing|x@y\\u0070|password=b|4111111111111111');
    const marks = new Uint8Array(3);
    prefilter!.mark(bytes, [11, 18, 28, 38, 39, 55], marks);
    expect([...marks]).toEqual([0, 1, 1]);
    prefilter!.mark(bytes, [], marks);
  });

  test('takes lines in any order', () => {
    const bytes = Buffer.from('nothing here|password=b|nothing either');
    const marks = new Uint8Array(3);
    prefilter!.mark(bytes, [24, 38, 13, 23, 0, 12], marks);
    expect([...marks]).toEqual([0, 1, 0]);
  });

  test('hides nothing that the rules would find (random texts)', () => {
    const pieces = [
      ...positives.map(([line]) => line),
      ...negatives,
      ' ',
      ',',
      '\n',
      '"',
      '\\',
      '4',
      '11',
      'pass',
      'é',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 6 }), (chosen) => {
        const line = chosen.join('');
        const all = redactor(unfiltered());
        expect(all.prefilter).toBeUndefined();
        if (!/^[A-Za-z0-9+/]{64}\r?$|^AAAA/.test(line)) expect(text(line)).toBe(all.text(line));
      }),
    );
  });
});

test('counts by rule, once for what several rules find', () => {
  const { counts, text, value } = redactor();
  text(`Authorization: Bearer ${token} card 4111111111111111 378282246310005`);
  value({ password: 'x', a: [{ apiKey: { b: 1 } }], n: 4111111111111111 });
  expect(counts).toEqual({ authorization: 1, card: 3, secret: 2 });
});

describe('values', () => {
  test('names of secrets take their whole value with them, nested too', () => {
    expect(
      value({ password: 'x', list: [{ 'x-api-key': [1, 2] }], token: 5, secret: { a: 'b' }, Authorization: 'Basic x' }),
    ).toEqual({
      password: '[REDACTED:secret]',
      list: [{ 'x-api-key': '[REDACTED:secret]' }],
      token: '[REDACTED:secret]',
      secret: '[REDACTED:secret]',
      Authorization: '[REDACTED:authorization]',
    });
  });

  test('says nothing about what says nothing', () => {
    const said = { password: null, token: false, secret: '', api_key: '[REDACTED:secret]', passwd: '****' };
    expect(value(said)).toBe(said);
  });

  test('cards as numbers, also those with more digits than a double holds', () => {
    expect(value({ a: 4111111111111111, b: JSON.rawJSON('6304000000000000000'), c: 4111111111111111.5 })).toEqual({
      a: '[REDACTED:card]',
      b: '[REDACTED:card]',
      c: 4111111111111111.5,
    });
  });

  test('keys that are secrets themselves, however many', () => {
    expect(value({ '4111111111111111': 1, '378282246310005': 2, __proto__: null })).toEqual({
      '[REDACTED:card]': 1,
      '[REDACTED:card] 1': 2,
    });
    const hostile = JSON.parse('{"__proto__":{"password":"x"},"a":1}');
    expect(JSON.stringify(value(hostile))).toBe('{"__proto__":{"password":"[REDACTED:secret]"},"a":1}');
  });

  test('the same object where there is nothing', () => {
    const clean = { a: [1, { b: 'c' }], d: JSON.rawJSON('12345678901234567890') };
    expect(value(clean)).toBe(clean);
  });

  test('nested too deep is an error, not a pass', () => {
    let deep: unknown = 'password=x';
    for (let depth = 0; depth < 200; depth++) deep = [deep];
    expect(() => value(deep)).toThrow('nested');
  });
});

describe('asked for', () => {
  const all = redactor(rulesOf(ruleNames, ['pin', 'x.y']));

  test.each([
    ['mail to alice@example.com, please', 'mail to [REDACTED:email], please'],
    ['<jürgen.müller+x@büro.example>', '<[REDACTED:email]>'],
    ['DE89370400440532013000', '[REDACTED:iban]'],
    ['to GB29 NWBK 6016 1331 9268 19.', 'to [REDACTED:iban].'],
    ['pin=1234 xpin: 5', 'pin=[REDACTED:secret] xpin: [REDACTED:secret]'],
    ['x.y=1 xzy=2', 'x.y=[REDACTED:secret] xzy=2'],
  ])('%j', (line, expected) => expect(all.text(line)).toBe(expected));

  test.each([
    'a@b',
    '@user',
    'user@host',
    'git@host:path',
    'DE89370400440532013001',
    'XX89370400440532013000',
    'pins=3',
  ])('%j is left alone', (line) => expect(all.text(line)).toBe(line));
});

describe('own patterns', () => {
  test('are rules like the others', () => {
    const { text, value, counts } = redactor([ownPattern('ticket', 'T-[0-9]{4,6}'), ...rulesOf(usual)]);
    expect(text('T-1234 and T-99999, password=x')).toBe(
      '[REDACTED:ticket] and [REDACTED:ticket], password=[REDACTED:secret]',
    );
    expect(value({ a: 'T-1234' })).toEqual({ a: '[REDACTED:ticket]' });
    expect(counts).toEqual({ ticket: 3, secret: 1 });
  });

  test.each([
    ['x', '(a)\\1', 'linear time'],
    ['x', '(?=a)b', 'linear time'],
    ['x', '(', 'regular expression is expected'],
    ['x', 'a*', 'does not match an empty text'],
    ['a b', 'x', 'a name of letters'],
  ])('%j=%j is refused', (name, pattern, reason) => expect(() => ownPattern(name, pattern)).toThrow(reason));

  test('a text too long to be looked at is an error, not a pass', () => {
    expect(() => redactor([ownPattern('x', 'secret')]).text('a'.repeat(70_000))).toThrow('too long');
  });

  test('catastrophic ones take no time', () => {
    const { text } = redactor([ownPattern('x', '(?:a+)+b')]);
    const begun = performance.now();
    text('a'.repeat(60_000));
    expect(performance.now() - begun).toBeLessThan(2_000);
  });
});

describe('whatever the line is', () => {
  const mebibyte = 1 << 20;
  const repeated = (piece: string) => piece.repeat(Math.ceil(mebibyte / piece.length));
  const nasty = [
    'e',
    'eyJ',
    'ey-',
    '4',
    '4 ',
    '1-',
    '4111 1111 1111 1111 ',
    '://',
    'a://u:',
    'a://u:p@',
    'password=',
    'password="',
    'password\\',
    '\\',
    '\\u0070',
    '-----BEGIN PRIVATE KEY-----',
    '-----END PRIVATE KEY-----',
    'Bearer ',
    'Basic aaaa',
    '"',
    '{',
    'secret:[',
    'token={"',
    'a@',
    'AKIA',
    'LS0tLS1CRUdJTi',
    '--password -',
    'authorization: digest ',
    ' ',
    '\n',
    '\u0000',
  ];

  test.each(nasty)('1 MiB of %j is looked at within its budget, or refused', (piece) => {
    const { value } = redactor(rulesOf(ruleNames));
    const line = repeated(piece);
    const begun = process.threadCpuUsage().user;
    const one = new Redactor(rulesOf(ruleNames), () => undefined);
    let result: string | undefined;
    try {
      result = one.look(line, new Budget(250));
    } catch (error) {
      expect((error as Error).message).toBe('out of time');
    }
    // The machine may be busy; what counts is the work.
    expect(process.threadCpuUsage().user - begun).toBeLessThan(2_000_000);
    expect(result === undefined || typeof result === 'string').toBe(true);
    expect(value('')).toBe('');
  });

  test('finds the secret at the end of it', () => {
    expect(text(`${repeated('x ')}password=hunter2`).endsWith('password=[REDACTED:secret]')).toBe(true);
  });
});
