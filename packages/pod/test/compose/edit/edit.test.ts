// By hand: each case is a text, additions, and the text that a person would have written.

import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
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

test('what holds nothing gives way, and comes back as it was', () => {
  const volumes = '    - name: x\n      emptyDir: {}\n';
  same('spec:\n  volumes: ~ # no\n', [volume('x')], `spec:\n  volumes: # no\n${volumes}`);
  same('spec:\n  volumes:   null\n', [volume('x')], `spec:\n  volumes:\n${volumes}`);
  same('spec:\n  volumes: []\n', [volume('x')], `spec:\n  volumes:\n${volumes}`);
  same('{"spec":{"volumes":null}}', [volume('x')], '{"spec":{"volumes":[{"name":"x","emptyDir":{}}]}}');
  same('metadata: {}\n', [annotation('a', 'b')], 'metadata:\n  annotations:\n    a: b\n');
  same('metadata: {\n}\n', [annotation('a', 'b')], 'metadata: {annotations: { a: b }\n}\n');
});

test('fields stand where people look for them', () => {
  const container: Addition = { list: ['spec', 'initContainers'], key: 'name', item: { name: 'x' }, at: 'start' };
  same(
    'spec: # pod\n  # The application.\n  containers: []\n  last: 1\n',
    [container, field('shareProcessNamespace', true), volume('x'), annotation('a', 'b')],
    'spec: # pod\n  shareProcessNamespace: true\n  initContainers:\n    - name: x\n  # The application.\n  containers: []\n' +
      '  last: 1\n  volumes:\n    - name: x\n      emptyDir: {}\nmetadata:\n  annotations:\n    a: b\n',
  );
});

test('brackets and braces', () => {
  same('spec: { volumes: [] }\n', [volume('x')], 'spec: { volumes: [{ name: x, emptyDir: {} }] }\n');
  same(
    'spec: {volumes: [{name: a}, {name: b}]}\n',
    [volume('x', 'start'), volume('z', { after: 'a' }), field('hostPID', true)],
    'spec: {volumes: [{name: x, emptyDir: {}}, {name: a}, {name: z, emptyDir: {}}, {name: b}], hostPID: true}\n',
  );
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

const made = addTo('spec:\n  containers: []\n', 0, [volume('x'), volume('z'), field('hostPID', true)]);

test('what a user wrote beside additions stays, and what he changed inside of them goes', () => {
  const text =
    'spec:\n  containers: []\n  volumes:\n    # Mine.\n    - name: x # and this\n      # goes\n      emptyDir:\n' +
    '        sizeLimit: 1Mi\n      # with it\n    # Mine, too.\n    - name: z\n      emptyDir: {}\n  hostPID: false\n';
  expect(takeFrom(text, 0, made.added)).toEqual({
    text: 'spec:\n  containers: []\n',
    missing: [],
  });
  const own = text.replace('    - name: z\n', '    - name: mine\n      emptyDir: {}\n    - name: z\n');
  expect(takeFrom(own, 0, made.added).text).toBe(
    'spec:\n  containers: []\n  volumes:\n    # Mine.\n    # Mine, too.\n    - name: mine\n      emptyDir: {}\n',
  );
});

test('what is not there any more is told, and so is what is no place', () => {
  const { text, missing } = takeFrom('spec:\n  containers: []\n  volumes:\n    - name: z\n', 0, [
    ...made.added,
    'a..b',
    '',
  ]);
  expect(text).toBe('spec:\n  containers: []\n');
  expect(missing).toEqual(['spec.volumes[x]', 'spec.hostPID', 'a..b', '']);
});

test('an addition that another tool moved to the line of a dash, or between brackets', () => {
  const list =
    'spec:\n  containers:\n  - args: [a]\n    name: app\n  volumes: [{ name: b }, # of b\n    { name: x }]\n';
  expect(takeFrom(list, 0, ['spec.containers[app].args', 'spec.volumes[x]']).text).toBe(
    'spec:\n  containers:\n  - name: app\n  volumes: [{ name: b } # of b\n    ]\n',
  );
});

test('comments between brackets stay', () => {
  const text = 'spec: { volumes: [\n  # of x\n  { name: x }, # of a\n  { name: a },\n  # of z\n  { name: z },\n  ] }\n';
  expect(takeFrom(text, 0, ['spec.volumes[x]', 'spec.volumes[z]']).text).toBe(
    'spec: { volumes: [\n  # of x\n   # of a\n  { name: a }\n  # of z\n  ,\n  ] }\n',
  );
  expect(takeFrom(text, 0, ['spec.volumes[x]', 'spec.volumes[a]', 'spec.volumes[z]']).text).toBe(
    'spec: { volumes: [\n  # of x\n   # of a\n  \n  # of z\n  \n  ] }\n',
  );
});

test('a block scalar at the end keeps the line break that it needs', () => {
  const text = 'spec:\n  a: |\n    text\n  hostPID: true';
  expect(takeFrom(text, 0, ['spec.hostPID']).text).toBe('spec:\n  a: |\n    text\n');
});

test('what an alias stands for is not removed under it', () => {
  const text = 'spec:\n  volumes:\n    - &x\n      name: x\n  other: *x\n';
  expect(() => takeFrom(text, 0, ['spec.volumes[x]'])).toThrow('*x stands for something that is to be removed');
});

test.for([
  ['nested brackets', '['.repeat(5000)],
  ['nested lists', `${'- '.repeat(5000)}a`],
  ['nested maps', `spec: ${'{a: '.repeat(3000)}`],
  ['merges of merges', `a: &a {}\n${Array.from({ length: 300 }, (_, i) => `m${i}: &a {<<: *a}\n`).join('')}spec: *a\n`],
  ['a map that merges itself', 'spec: &a\n  <<: *a\n  volumes: *a\n'],
  ['no YAML', '\0%{]'],
  ['nothing', ''],
])('%s: refused, and with nothing but an EditError', ([, text]) => {
  for (const work of [() => addTo(text!, 0, [volume('x')]), () => takeFrom(text!, 0, ['spec.volumes[x]'])])
    try {
      work();
    } catch (error) {
      expect(error).toBeInstanceOf(EditError);
    }
  expect(() => addTo(text!, 0, [volume('x')])).toThrow(EditError);
});

/** Processor time, as others may run beside it. */
function seconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

test('a long document takes hardly longer than the YAML library needs to read it', () => {
  const item = (index: number) => `    - name: v${index}\n      configMap: { name: c${index}, optional: true }\n`;
  const list = Array.from({ length: 8000 }, (_, index) => item(index)).join('');
  const text = `spec:\n  containers:\n    - name: app\n  volumes:\n${list}`;
  const additions = Array.from({ length: 20 }, (_, index) => volume(`x${index}`, { after: `v${index * 300}` }));
  const reading = seconds(() => parseAllDocuments(text));
  let added = { text: '', added: [] as readonly string[] };
  const adding = seconds(() => {
    added = addTo(text, 0, additions);
  });
  const taking = seconds(() => expect(takeFrom(added.text, 0, added.added).text).toBe(text));
  expect(adding + taking).toBeLessThan(2 * (2 * reading + 1));
  const notes = `spec: {}\n---\na: |\n${'  A line of a text that is long.\n'.repeat(30_000)}`;
  expect(seconds(() => addTo(notes, 0, [volume('x')]))).toBeLessThan(1);
});
