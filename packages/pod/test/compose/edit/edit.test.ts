// By hand: each case is a text, additions, and the text that a person would have written.

import { expect, test } from 'vitest';
import type { Addition } from '../../../src/compose/addition.ts';
import { addTo, takeFrom } from '../../../src/compose/edit/edit.ts';
import { EditError } from '../../../src/compose/edit/error.ts';
import { parseSource } from '../../../src/manifest/source.ts';
import { applied } from './apply.ts';

const volume = (name: string, at: 'start' | 'end' | { after: string } = 'end'): Addition => ({
  list: ['spec', 'volumes'],
  key: 'name',
  item: { name, emptyDir: {} },
  at,
});

const field = (name: string, value: unknown): Addition => ({ map: ['spec'], field: name, value });

const annotation = (name: string, value: string): Addition => ({
  map: ['metadata', 'annotations'],
  field: name,
  value,
});

const plainOf = (text: string, index: number) => {
  const { documents, problems } = parseSource('test', text);
  expect([text, problems]).toEqual([text, []]);
  return documents[index]!.value;
};

/** Adds, compares, and takes out again; all at once and one after the other. */
function same(text: string, additions: readonly Addition[], expected: string, index = 0): void {
  const all = addTo(text, index, additions);
  expect(all.text).toBe(expected);
  expect(plainOf(all.text, index)).toEqual(applied(plainOf(text, index), additions));
  expect(takeFrom(all.text, index, all.added)).toEqual({ text, missing: [] });
  const added: string[] = [];
  let each = text;
  for (const addition of additions) {
    const one = addTo(each, index, [addition]);
    each = one.text;
    added.push(...one.added);
  }
  expect(takeFrom(each, index, added)).toEqual({ text, missing: [] });
}

test('a list under its key, with what is said about its items', () => {
  same(
    'spec:\n  volumes:\n    # first\n    - name: a # one\n      # of a\n    # of the list\n  # of spec\nstatus: {}\n',
    [volume('x', 'start'), volume('b', { after: 'a' }), volume('z'), field('hostPID', true)],
    'spec:\n  volumes:\n    - name: x\n      emptyDir: {}\n    # first\n    - name: a # one\n      # of a\n' +
      '    - name: b\n      emptyDir: {}\n    - name: z\n      emptyDir: {}\n    # of the list\n  hostPID: true\n' +
      '  # of spec\nstatus: {}\n',
  );
});

test('what was not there is made, and what has no value is filled', () => {
  same(
    'metadata:\n  name: x\nspec:\n  volumes: # none\n  containers: []\n',
    [volume('x'), annotation('a', 'b'), annotation('c', '{"d": 1}')],
    'metadata:\n  name: x\n  annotations:\n    a: b\n    c: \'{"d": 1}\'\nspec:\n  volumes: # none\n' +
      '    - name: x\n      emptyDir: {}\n  containers: []\n',
  );
});

test('lists that are not indented, in the second document, without a line break at the end', () => {
  same(
    'a: 1\n--- # two\nspec:\n  volumes:\n  - name: a',
    [volume('x'), field('hostPID', true)],
    'a: 1\n--- # two\nspec:\n  volumes:\n  - name: a\n  - name: x\n    emptyDir: {}\n  hostPID: true',
    1,
  );
});

test('lines end as they do in the file', () => {
  same(
    'spec:\r\n  volumes:\r\n    - name: a\r\n',
    [volume('x')],
    'spec:\r\n  volumes:\r\n    - name: a\r\n    - name: x\r\n      emptyDir: {}\r\n',
  );
});

test('a null gives way and comes back as it was', () => {
  same('spec:\n  volumes: ~ # no\n', [volume('x')], 'spec:\n  volumes: # no\n    - name: x\n      emptyDir: {}\n');
  same('{"spec":{"volumes":null}}', [volume('x')], '{"spec":{"volumes":[{"name":"x","emptyDir":{}}]}}');
});

test('brackets and braces', () => {
  same('spec: { volumes: [] }\n', [volume('x')], 'spec: { volumes: [{ name: x, emptyDir: {} }] }\n');
  same(
    'spec: {volumes: [{name: a}, {name: b}]}\n',
    [volume('x', 'start'), volume('z', { after: 'a' }), field('hostPID', true)],
    'spec: {volumes: [{name: x, emptyDir: {}}, {name: a}, {name: z, emptyDir: {}}, {name: b}], hostPID: true}\n',
  );
  same('metadata: {}\n', [annotation('a', 'b')], 'metadata: { annotations: { a: b } }\n');
});

test('JSON of one line, and of several', () => {
  const value = { spec: { volumes: [{ name: 'a' }] } };
  same(JSON.stringify(value), [volume('x')], '{"spec":{"volumes":[{"name":"a"},{"name":"x","emptyDir":{}}]}}');
  for (const indent of [1, 2, 4, '\t'])
    for (const lists of [[{ name: 'a' }], []]) {
      const text = JSON.stringify({ spec: { volumes: lists } }, null, indent);
      const expected = { spec: { volumes: [...lists, { name: 'x', emptyDir: {} }], hostPID: true } };
      same(text, [volume('x'), field('hostPID', true)], JSON.stringify(expected, null, indent));
    }
});

test.for([
  ['an alias as the list', 'a: &a []\nspec:\n  volumes: *a\n', 3, 12],
  ['a list that is elsewhere, too', 'spec: { volumes: &a [] }\na: *a\n', 1, 21],
  ['a list that is merged', 'a: &a { volumes: [] }\nspec:\n  <<: *a\n', 3, 3],
  ['an explicit key', 'spec:\n  ? volumes\n  : []\n', 2, 3],
  ['a scalar', 'spec:\n  volumes: x\n', 2, 12],
  ['an item of that name', 'spec:\n  volumes:\n    - name: x\n', 3, 5],
  ['a text without end', 'spec:\n  volumes:\n    - name: |\n        a', 4, 10],
  ['no such document', '# nothing\n', 1, 1],
] as const)('%s is refused', ([, text, line, column]) => {
  expect(() => addTo(text, 0, [volume('x')])).toThrow(EditError);
  try {
    addTo(text, 0, [volume('x')]);
  } catch (error) {
    expect(error).toMatchObject({ line, column });
  }
});
