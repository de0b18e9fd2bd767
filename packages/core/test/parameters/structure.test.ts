import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parseStructure, readStructure } from '../../src/parameters/structure.ts';
import { scratch } from '../../src/testing/scratch.ts';

const problems = async (text: string) => {
  const read = await parseStructure('f.yaml', text);
  return 'problems' in read ? read.problems.map(({ place, message }) => `${place} ${message}`) : [];
};

const structure = async (text: string) => {
  const read = await parseStructure('f.yaml', text);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read.structure;
};

test('every value knows its place, through lists, aliases and merge keys', async () => {
  const text = 'base: &base\n  timeout: 1s\n  retries: 3\nroutes:\n  - { <<: *base, name: a, retries: 5 }\n  - *base\n';
  const { root, place } = await structure(text);
  const base = { timeout: '1s', retries: 3 };
  expect(root.value).toEqual({ base, routes: [{ name: 'a', retries: 5, timeout: '1s' }, base] });
  expect(place(['routes', 0, 'retries'])).toBe('f.yaml:5:36');
  expect(place(['routes', 0, 'timeout'])).toBe('f.yaml:2:12');
  expect(place(['routes', 0, 'timeout'], 'key')).toBe('f.yaml:2:3');
  expect(place(['routes', 1, 'retries'])).toBe('f.yaml:3:12');
  // Of what is not there, the place of what it is missing in.
  expect(place(['routes', 0, 'host'])).toBe('f.yaml:5:5');
});

test('of several merged mappings the first wins, and what stands beside them wins over all', async () => {
  const text = 'a: &a { x: 1, y: 1 }\nb: &b { y: 2, z: 2 }\nc: { <<: [*b, *a], z: 3 }\n';
  expect((await structure(text)).root.value).toMatchObject({ c: { x: 1, y: 2, z: 3 } });
});

test('numbers keep the text they were written as', async () => {
  const { root } = await structure('version: 1.10\nid: 12345678901234567890\nhex: 0x1F\nyes: yes\n');
  const texts = [...root.entries!.values()].map(({ node }) => node.text);
  expect(texts).toEqual(['1.10', '12345678901234567890', '0x1F', 'yes']);
});

test('a key called __proto__ is a key', async () => {
  const { root } = await structure('__proto__: { polluted: true }\n');
  expect(Object.keys(root.value as object)).toEqual(['__proto__']);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test.each<[what: string, text: string, found: string[]]>([
  ['two documents', 'a: 1\n---\nb: 1\n', ['f.yaml:2:1 one document is expected, and this starts another']],
  ['a key twice', 'a: 1\nb: 2\na: 3\n', ['f.yaml:3:1 a is given twice']],
  ['an alias without an anchor', 'a: *b\n', ['f.yaml:1:4 *b names nothing above']],
  ['an alias of what it stands in', 'a: &a [1, *a]\n', ['f.yaml:1:11 *a stands inside of what it names']],
  ['a tag that nobody knows', 'a: !secret b\n', ['f.yaml:1:4 Unresolved tag: !secret']],
  ['a list as a key', '? [a]\n: 1\n', ['f.yaml:1:3 a word is expected as a key']],
  ['a merge of a word', '<<: a\n', ['f.yaml:1:1 << merges a mapping or a list of mappings']],
])('%s is refused', async (_, text, found) => {
  expect(await problems(text)).toEqual(found);
});

test('broken JSON is named with its place', async () => {
  expect(await problems('{\n  "a": [1,\n}')).toContain('f.yaml:3:1 Flow map must end with a }');
});

const bomb = (link: (name: string) => string) =>
  [
    'a0: &a0 { x: xxxxxxxxxx }',
    ...Array.from({ length: 30 }, (_, level) => link(`a${level}`).replaceAll('NEXT', `a${level + 1}`)),
  ].join('\n');

test.each([
  ['aliases that multiply', bomb((name) => `NEXT: &NEXT [${`*${name}, `.repeat(10)}]`), 'its aliases multiply'],
  [
    'merges that multiply',
    bomb((name) => `NEXT: &NEXT { <<: [${`*${name}, `.repeat(10)}], y: [*${name}, *${name}] }`),
    'its aliases multiply',
  ],
  ['aliases that deepen', bomb((name) => `NEXT: &NEXT [[[${`*${name}`}]]]`), 'nested more than 64 deep'],
  ['a hundred levels', `${'['.repeat(100)}${']'.repeat(100)}`, 'nested more than 64 deep'],
  ['levels beyond what the parser can follow', '['.repeat(20_000), 'nested more than 64 deep'],
])('%s are refused before they cost anything', async (_, text, message) => {
  const [first] = await problems(text);
  expect(first).toContain(message);
});

test('a key given twice among very many is found without comparing each with each', async () => {
  const keys = Array.from({ length: 50_000 }, (_, index) => `k${index}: 1`);
  expect(await problems([...keys, 'k7: 2'].join('\n'))).toEqual(['f.yaml:50001:1 k7 is given twice']);
});

test('what is wrong with the file itself is said', async () => {
  await using directory = await scratch();
  const reasonOf = async (name: string, content?: string | Buffer) => {
    if (content !== undefined) await writeFile(directory.join(name), content);
    const read = await readStructure(directory.join(name));
    return 'problems' in read ? read.problems : [];
  };
  expect(await reasonOf('missing')).toEqual([{ place: directory.join('missing'), message: 'no such file' }]);
  expect(await reasonOf('.')).toMatchObject([{ message: 'is a directory, a file is expected' }]);
  expect(await reasonOf('large', 'x'.repeat(1024 * 1024 + 1))).toMatchObject([{ message: 'is larger than 1MiB' }]);
  expect(await reasonOf('bytes', Buffer.from([0x61, 0x3a, 0xff]))).toMatchObject([{ message: 'is no UTF-8 text' }]);
});
