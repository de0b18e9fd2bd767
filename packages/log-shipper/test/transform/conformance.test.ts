// What holds for every transform: no record vanishes without a reason, whatever is in it, and both plans say the same.

import { describe, expect, test } from 'vitest';
import { transforms } from '../../src/transform/index.ts';
import { recordsOf } from '../chunk.ts';
import { json, type Opened, openTransform, outcome, type TransformName } from './open.ts';

const args: Record<TransformName, readonly string[]> = {
  add: ['--fields', 'service=billing'],
  kubernetes: ['--field', 'kubernetes'],
  rename: ['--fields', 'message=msg', '--fields', '__proto__.a=b.c'],
  'drop-fields': ['--names', 'message', '--names', '__proto__'],
  'keep-fields': ['--names', 'message', '--names', '__proto__.a'],
  filter: ['--drop', 'line~drop'],
  sample: ['--one-of', '2', '--keep-errors', 'false'],
  'rate-limit': ['--rate', '3'],
  deduplicate: ['--window', '1m'],
  redact: [],
};

let deep: unknown = 1;
for (let depth = 0; depth < 90; depth++) deep = { deep };

const objects = [
  { message: 'one' },
  JSON.parse('{"__proto__":{"a":1},"constructor":2,"toString":{"hasOwnProperty":3},"message":"drop"}'),
  { ['k'.repeat(1 << 20)]: 'long', message: 'one' },
  { deep, message: 'password=x' },
  { message: { nested: ['4111111111111111'] } },
  {},
  { message: 'one' },
  { message: '\ud800 \u0000 \\' },
  ...Array.from({ length: 8 }, (_, index) => ({ message: `record ${index}` })),
];

const lines = ['', 'one', 'drop', 'password=x', '{"message":1}', '\u0000', 'x'.repeat(1 << 16), 'one', '__proto__'];

for (const name of Object.keys(transforms) as TransformName[]) {
  describe(name, () => {
    const open = (): Promise<Opened> => openTransform(name, args[name]);

    test('takes a chunk of no lines', async () => {
      const records = recordsOf([]);
      (await open()).apply(records);
      expect(outcome(records)).toEqual([]);
    });

    test('drops with a reason or not at all, and leaves where records lie as it was', async () => {
      for (const records of [recordsOf(lines), json(...objects)]) {
        const spans = [...records.spans];
        const { apply, needs } = await open();
        if (needs === 'fields') records.materialise();
        apply(records);
        expect(records.spans).toEqual(spans);
        expect(outcome(records)).toHaveLength(spans.length / 2);
        for (const [index, each] of outcome(records).entries()) {
          if (typeof each === 'string') expect(each).toBe(records.dropped(index));
          else expect(() => JSON.stringify(each)).not.toThrow();
        }
      }
      expect(({} as Record<string, unknown>).a).toBeUndefined();
    });

    test('says the same of bytes and of fields', async () => {
      const { apply, needs } = await open();
      const [fields, bytes] = [json(...objects), json(...objects)];
      fields.materialise();
      apply(fields);
      if (needs === 'bytes') {
        const other = await open();
        other.apply(bytes);
        expect(bytes.fields).toBeUndefined();
        expect(outcome(bytes)).toEqual(outcome(fields));
        const counted = await open();
        const text = [recordsOf(lines), recordsOf(lines)] as const;
        text[1].materialise();
        counted.apply(text[0]);
        (await open()).apply(text[1]);
        expect(outcome(text[0])).toEqual(outcome(text[1]));
      } else expect(outcome(fields)).toHaveLength(objects.length);
    });

    test('does the same each time it is opened', async () => {
      const outcomes = await Promise.all(
        [1, 2].map(async () => {
          const records = json(...objects);
          const { apply, needs } = await open();
          if (needs === 'fields') records.materialise();
          apply(records);
          return outcome(records);
        }),
      );
      expect(outcomes[0]).toEqual(outcomes[1]);
    });

    test('keeps the reason of what was dropped before', async () => {
      const records = json({ message: 'one' }, { message: 'two' });
      records.materialise();
      records.drop(0, 'level');
      (await open()).apply(records);
      expect(records.dropped(0)).toBe('level');
    });
  });
}
