import { expect, test } from 'vitest';
import { decode } from '../src/decode.ts';
import { compile } from '../src/select.ts';
import { stringValue } from '../src/tree.ts';

const { document } = decode(
  Buffer.from(
    '<s xmlns:p="urn:p" v="0"><q n="a" d="1"><i>one</i><i k="x">two</i></q><q n="b" d="02"/><p:q n="c"/>' +
      '<g><q n="d"><q n="e"/></q> t1 <q n="f"/>t2</g></s>',
  ),
);
const find = (path: string) => compile(path, { '': '', p: 'urn:p' }).nodes(document).map(stringValue);

test.each<[path: string, found: string[]]>([
  ['/s/q/@n', ['a', 'b']],
  ['s/q/@n', ['a', 'b']],
  ['/s/*/@n', ['a', 'b', 'c']],
  ['/s/p:q/@n', ['c']],
  ['/s/p:*/@n', ['c']],
  ['//q/@n', ['a', 'b', 'd', 'e', 'f']],
  ['//g//@n', ['d', 'e', 'f']],
  ['//q//q/@n', ['e']],
  ['//q[q]/@n', ['d']],
  ['//q/@*', ['a', '1', 'b', '02', 'd', 'e', 'f']],
  ['/s/q[1]/@n', ['a']],
  ['/s/q[2]/@n', ['b']],
  ['/s/q[3]/@n', []],
  ['//q[1]/@n', ['a', 'd', 'e']],
  ["/s/q[@n='b'][1]/@d", ['02']],
  ["/s/q[2][@n='a']/@d", []],
  ["/s/q[@n = 'a']/i", ['one', 'two']],
  ['/s/q[@n="a"]/i[@k]', ['two']],
  ["/s/q[i='two']/@n", ['a']],
  ["/s/q[i!='two']/@n", ['a']],
  ["/s/q[@x!='y']/@n", []],
  ['/s/q[@d=2]/@n', ['b']],
  ['/s/q[@d != 2]/@n', ['a']],
  ["/s/q[@d='2']/@n", []],
  ["/s/q[../@v='0']/@n", ['a', 'b']],
  ["/s/q[i/@k='x']/@n", ['a']],
  ["/s/q[/s/@v='0'][2]/@n", ['b']],
  ['//i/..', ['onetwo']],
  ['//i/../@n', ['a']],
  ['//@k/../../@n', ['a']],
  ['/s/g/text()', [' t1 ', 't2']],
  ['/s/g/text()[2]', ['t2']],
  ['/s/q/.', ['onetwo', '']],
  ['/s/q[.="onetwo"]/@n', ['a']],
  ['/s/../s/@v', ['0']],
  ['/s/../../@v', []],
  ['/s/@v/x', []],
  ['/', ['onetwo t1 t2']],
  [' / s / q [ 2 ] / @ n ', ['b']],
  ['/nothing', []],
])('%s', (path, found) => {
  expect(find(path)).toEqual(found);
});

test('the text of a path is that of its first match, of a literal itself, and undefined without a match', () => {
  const text = (path: string) => compile(path, {}).text(document);
  expect(text('//q/@n')).toBe('a');
  expect(text("'used'")).toBe('used');
  expect(text('3.50')).toBe('3.5');
  expect(text('/nothing')).toBe(undefined);
  expect(text('/s/q[2]')).toBe('');
});

test.each<[path: string, message: string]>([
  ['', 'the end at character 1'],
  ['/s/', 'the end at character 4'],
  ['/s//', 'the end at character 5'],
  ['/s/q[', 'the end at character 6'],
  ['/s/q[1', 'the end at character 7'],
  ['/s/q[]', '"]" at character 6'],
  ['/s/q[0]', '"0" at character 6'],
  ['/s/q[last()]', '"last" at character 6'],
  ['/s/q[@a and @b]', '"and" at character 9'],
  ['count(/s/q)', '"count" at character 1'],
  ['/s/child::q', '"child" at character 4'],
  ['/s/q | /s/g', '"|" at character 6'],
  ['/s/q + 1', '"+" at character 6'],
  ['/s/"q"', '""q"" at character 4'],
  ["/s/q[@n='a]", '"\'" at character 9'],
  ['/s/node()', '"node" at character 4'],
  ['/s/q]', '"]" at character 5'],
  ['.//..', ''],
  ['..[1]', '"[" at character 3'],
  ['/s/@', 'the end at character 5'],
  ['/s/p:', 'the end at character 6'],
  ['$x', '"$" at character 1'],
  ['/s/q[@n>1]', '">" at character 8'],
])('the path %s is refused where it stops being one', (path, message) => {
  if (message === '') expect(() => compile(path, {})).not.toThrow();
  else expect(() => compile(path, {})).toThrow(`${message} is not expected`);
});
