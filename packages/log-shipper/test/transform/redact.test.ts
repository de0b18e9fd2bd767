import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Records } from '../../src/records.ts';
import { recordsOf } from '../chunk.ts';
import { evasions, keyLines, negatives, positives } from '../redact/corpus.ts';
import { json, openTransform, outcome } from './open.ts';

const shipped = (records: Records) =>
  Array.from({ length: records.count }, (_, index) => records.line(index).toString());

describe('lines', () => {
  test('become what the corpus says, in one chunk', async () => {
    const { apply } = await openTransform('redact');
    const all = [...positives, ...negatives.map((line): [string, string] => [line, line])];
    // Lines of keys would go with a block that was opened before them.
    const chosen = all.filter(([line]) => !line.includes('PRIVATE KEY') && !line.includes('\n'));
    const records = recordsOf(chosen.map(([line]) => line));
    apply(records);
    expect(shipped(records)).toEqual(chosen.map(([, expected]) => expected));
  });

  test('that are clean stay where they are', async () => {
    const { apply, counts } = await openTransform('redact');
    const records = recordsOf(negatives.filter((line) => !line.includes('\n')));
    apply(records);
    expect([records.replaced, counts]).toEqual([undefined, {}]);
  });

  test('with bytes that are no UTF-8 are looked at too', async () => {
    const { apply } = await openTransform('redact');
    const records = recordsOf(['????password=hunter2']);
    records.bytes.fill(0xff, 0, 3);
    apply(records);
    expect(shipped(records)).toEqual(['\ufffd\ufffd\ufffd?password=[REDACTED:secret]']);
  });

  test('that were changed before are looked at as they are now', async () => {
    const { apply } = await openTransform('redact');
    const records = recordsOf(['clean']);
    records.replaced = new Map([[0, Buffer.from('password=x')]]);
    apply(records);
    expect(shipped(records)).toEqual(['password=[REDACTED:secret]']);
  });

  test('of a key go with it, also over several chunks, and what others log in between stays', async () => {
    const { apply } = await openTransform('redact');
    const first = recordsOf(['before', ...keyLines.slice(0, 2)]);
    const second = recordsOf(['2026-11-21 INFO in between', ...keyLines.slice(2), 'cmVhbCB3b3Jk']);
    const other = recordsOf(['cmVhbCB3b3Jk'], { path: '/logs/other.log' });
    for (const records of [first, other, second]) apply(records);
    const note = '[REDACTED:private-key]';
    expect(shipped(first)).toEqual(['before', note, note]);
    expect(shipped(other)).toEqual(['cmVhbCB3b3Jk']);
    expect(shipped(second)).toEqual(['2026-11-21 INFO in between', note, note, 'cmVhbCB3b3Jk']);
  });

  test('of a key on their own go in fields too', async () => {
    const { apply } = await openTransform('redact');
    const records = recordsOf([keyLines[1]!]);
    records.materialise();
    apply(records);
    expect([outcome(records), shipped(records)]).toEqual([
      [{ log: '[REDACTED:private-key]' }],
      ['[REDACTED:private-key]'],
    ]);
  });

  test('of several lines each are looked at as one', async () => {
    const { apply } = await openTransform('redact');
    const bytes = Buffer.from(`Exception: x\n  at y password=z\n  card 4111\n1111 ${keyLines.join('\n')}`);
    const records = recordsOf(['?'.repeat(bytes.length)]);
    bytes.copy(records.bytes);
    apply(records);
    expect(shipped(records)[0]).toBe(
      'Exception: x\n  at y password=[REDACTED:secret]\n  card 4111\n1111 [REDACTED:private-key]',
    );
  });
});

describe('JSON', () => {
  const both = async (lines: readonly string[]) => {
    const make = () => Object.assign(recordsOf(lines), { format: 'json' as const });
    const [bytes, fields] = [make(), make()];
    fields.materialise();
    (await openTransform('redact')).apply(bytes);
    (await openTransform('redact')).apply(fields);
    return { bytes, fields };
  };

  test.each(evasions.filter(([line]) => line.startsWith('{')))('%j does not get around it', async (line, secret) => {
    for (const records of Object.values(await both([line]))) {
      expect(JSON.stringify(outcome(records))).not.toContain(secret);
      expect(JSON.stringify(JSON.parse(shipped(records)[0]!))).not.toContain(secret);
    }
  });

  test('bytes and fields become the same (random objects)', async () => {
    const texts = [...positives.map(([line]) => line), ...negatives].filter((line) => !line.includes('PRIVATE KEY'));
    const leaf = fc.oneof(
      fc.constantFrom(...texts),
      fc.integer(),
      fc.constantFrom(4111111111111111, null, true),
      fc.string(),
    );
    const key = fc.oneof(
      fc.constantFrom('password', 'db_pwd', 'secretkey', 'a', 'X-Api-Key', '__proto__', '4111111111111111'),
      fc.string(),
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 4 }),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.dictionary(key, value, { maxKeys: 4 }), { maxLength: 4 }), async (objects) => {
        const { bytes, fields } = await both(objects.map((object) => JSON.stringify(object)));
        expect(outcome(bytes)).toEqual(outcome(fields));
      }),
      { numRuns: 300 },
    );
  });

  test('a clean line with escapes stays as it was written', async () => {
    const line = '{"m":"a\\/b \\u00e9","n":12345678901234567890.0}';
    const { bytes } = await both([line]);
    expect(shipped(bytes)).toEqual([line]);
  });

  test('what only its name makes a secret does not stay in the line', async () => {
    const { apply } = await openTransform('redact');
    const records = recordsOf(['login hunter2 4111111111111111']);
    records.fields = [{ user: 'login', password: 'hunter2', n: '4111111111111111' }];
    apply(records);
    expect(shipped(records)[0]).not.toMatch(/hunter2|4111/);
  });

  test('what says why a line could not be parsed quotes it', async () => {
    const { apply } = await openTransform('redact');
    const records = recordsOf(['password=hunter2']);
    records.excuse(0, 'Unexpected token p in "password=hunter2"');
    records.common = { path: '/x', url: 'http://u:pw@h' };
    apply(records);
    expect(JSON.stringify(outcome(records))).not.toMatch(/hunter2|:pw@/);
  });
});

describe('fails closed', () => {
  test('a record that nobody can look at to its end becomes a note with its length, and is counted', async () => {
    const { apply, counts } = await openTransform('redact', ['--patterns', 'x=secretive']);
    const long = 'a'.repeat(70_000);
    const records = recordsOf([long, 'fine']);
    apply(records);
    expect(outcome(records)).toEqual([{ log: '[REDACTED:unchecked, 70000 bytes]' }, { log: 'fine' }]);
    const object = json({ m: long, password: 'x' }, { m: 'fine' });
    apply(object);
    expect(outcome(object)).toEqual([
      { log: expect.stringMatching(/^\[REDACTED:unchecked, \d+ bytes\]$/) },
      { m: 'fine' },
    ]);
    expect(counts).toEqual({ failures: 2 });
  });

  test('nested too deep, by both plans', async () => {
    const deep = `{"a":${'['.repeat(500)}"password=x"${']'.repeat(500)}}`;
    const [bytes, fields] = [recordsOf([deep]), recordsOf([deep])];
    for (const records of [bytes, fields]) records.format = 'json';
    fields.materialise();
    for (const records of [bytes, fields]) {
      (await openTransform('redact')).apply(records);
      expect(outcome(records)).toEqual([{ log: `[REDACTED:unchecked, ${deep.length} bytes]` }]);
    }
  });

  test('out of time', async () => {
    const { apply, counts } = await openTransform('redact', ['--budget', '1ms']);
    const records = recordsOf(['4 '.repeat(500_000)]);
    apply(records);
    expect(outcome(records)).toEqual([{ log: '[REDACTED:unchecked, 1000000 bytes]' }]);
    expect(counts).toEqual({ failures: 1 });
  });
});

test('counts by rule, has own patterns and keys, and rules that are asked for', async () => {
  const { apply, counts } = await openTransform('redact', [
    '--rules',
    'email',
    '--rules',
    'secret',
    '--keys',
    'pin',
    '--patterns',
    'ticket=T-[0-9]+',
  ]);
  const records = recordsOf(['pin=1 a@b.example T-5', '4111111111111111']);
  apply(records);
  expect(shipped(records)).toEqual(['pin=[REDACTED:secret] [REDACTED:email] [REDACTED:ticket]', '4111111111111111']);
  expect(counts).toEqual({ secret: 1, email: 1, ticket: 1 });
  await expect(openTransform('redact', ['--patterns', 'x=(a)\\1'])).rejects.toThrow('linear');
});
