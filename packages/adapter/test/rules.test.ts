import { expect, test } from 'vitest';
import { readRules } from './helpers/rules.ts';

const problems = async (content: string) =>
  (await readRules(content)).problems.map((each) => each.replace(/; a path is made of.*/, ''));
const rule = (more: string, metric = 'm') =>
  `rules:\n  - metric: ${metric}\n    type: gauge\n    help: h\n    path: /a\n${more}`;

test('a file with every key is accepted', async () => {
  const file = `
root: a
namespaces: { p: urn:p }
defaultNamespace: urn:d
rules:
  - metric: m_total
    type: counter
    help: All of it
    path: //p:a[@b='c']
    value: '@d'
    labels: { e: ../@e, xml: '@xml:lang' }
    format: number
    thousands: ','
    decimal: '.'
    scale: 0.001
    map: { many: 1e9, unlimited: .inf }
    ignore: ['N/A', '-']
    optional: true
`;
  expect(await problems(file)).toEqual([]);
});

test.each<[what: string, content: string, found: string[]]>([
  ['an empty file', '', ['null (rules.yaml:1:1): a mapping is expected']],
  ['a list', '- a\n', ['["a"] (rules.yaml:1:1): a mapping is expected']],
  ['no rules', 'root: a\n', ['(rules.yaml:1:1): rules: is missing: a list is expected']],
  ['an empty list of rules', 'rules: []\n', ['[] (rules.yaml:1:8): rules: at least one rule is expected']],
  ['rules that are no list', 'rules: 5\n', ['5 (rules.yaml:1:8): rules: a list is expected']],
  ['a rule that is no mapping', 'rules: [5]\n', ['5 (rules.yaml:1:9): rules[0]: a mapping is expected']],
  [
    'a misspelt key of the file',
    'rulse: []\nrules: [5]\n',
    ['5 (rules.yaml:2:9): rules[0]: a mapping is expected', '(rules.yaml:1:1): rulse: unknown; did you mean rules?'],
  ],
  [
    'a misspelt key of a rule',
    rule('    optionl: true\n'),
    ['(rules.yaml:6:5): rules[0].optionl: unknown; did you mean optional?'],
  ],
  [
    'a key like none',
    rule('    zzz: 1\n'),
    [
      '(rules.yaml:6:5): rules[0].zzz: unknown; known are metric, type, help, path, value, labels, format, thousands, decimal, scale, map, ignore, optional',
    ],
  ],
  [
    'a misspelt type',
    rule('').replace('gauge', 'guage'),
    ['guage (rules.yaml:3:11): rules[0].type: counter, gauge or untyped is expected; did you mean gauge?'],
  ],
  [
    'an unknown format',
    rule('    format: percentage\n'),
    [
      'percentage (rules.yaml:6:13): rules[0].format: number, percent, boolean, duration, size or timestamp is expected; did you mean percent?',
    ],
  ],
  [
    'everything missing',
    'rules: [{}]\n',
    [
      '(rules.yaml:1:9): rules[0].metric: is missing: text is expected',
      '(rules.yaml:1:9): rules[0].type: is missing: counter, gauge or untyped is expected',
      '(rules.yaml:1:9): rules[0].help: is missing: text is expected',
      '(rules.yaml:1:9): rules[0].path: is missing: text is expected',
    ],
  ],
  [
    'broken YAML',
    'rules:\n  - metric: [\n',
    ['rules.yaml:3:1 (--rules-file): Flow sequence in block collection must be sufficiently indented and end with a ]'],
  ],
  ['a key twice', 'rules: []\nrules: []\n', ['rules.yaml:2:1 (--rules-file): rules is given twice']],
  [
    'a metric name with a dash',
    rule('', 'a-b'),
    [
      'a-b (rules.yaml:2:13): rules[0].metric: "a-b" is no metric name: letters, digits and _ are expected, not starting with a digit',
    ],
  ],
  [
    'a metric name with a colon',
    rule('', '"a:b"'),
    [
      'a:b (rules.yaml:2:13): rules[0].metric: "a:b" is no metric name: letters, digits and _ are expected, not starting with a digit',
    ],
  ],
  [
    "the sidecar's own names",
    rule('', 'process_x'),
    [
      'process_x (rules.yaml:2:13): rules[0].metric: process_x: names in outrigger_ and process_ are taken by the sidecar',
    ],
  ],
  [
    'a gauge named as a counter',
    rule('', 'a_total'),
    ['a_total (rules.yaml:2:13): rules[0].metric: a_total: only a counter ends in _total'],
  ],
  [
    'a counter named as a gauge',
    rule('', 'a').replace('gauge', 'counter'),
    ['a (rules.yaml:2:13): rules[0].metric: a counter is named a_total'],
  ],
  [
    "a histogram's suffix",
    rule('', 'a_sum'),
    ['a_sum (rules.yaml:2:13): rules[0].metric: a_sum: _sum belongs to histograms and summaries'],
  ],
  [
    'label names that are taken',
    rule("    labels: { __name__: '@a', le: '@b', 'x-y': '@c' }\n"),
    [
      '@a (rules.yaml:6:25): rules[0].labels.__name__: __name__: names starting with __ belong to Prometheus',
      '@b (rules.yaml:6:35): rules[0].labels.le: le belongs to histograms and summaries',
      '@c (rules.yaml:6:48): rules[0].labels.x-y: "x-y" is no label name: letters, digits and _ are expected',
    ],
  ],
  [
    'wrong paths',
    rule("    value: count(a)\n    labels: { l: 'a[' }\n").replace('/a', '/a/'),
    [
      '/a/ (rules.yaml:5:11): rules[0].path: the end at character 4 is not expected',
      'count(a) (rules.yaml:6:12): rules[0].value: "count" at character 1 is not expected',
      'a[ (rules.yaml:7:18): rules[0].labels.l: the end at character 3 is not expected',
    ],
  ],
  [
    'a literal where nodes are needed',
    rule('').replace('/a', "'5'"),
    ['5 (rules.yaml:5:11): rules[0].path: a path to elements or attributes is expected, not a literal'],
  ],
  [
    'an undeclared prefix',
    rule("    value: a[p:b='c']\n"),
    ['a[p:b=\'c\'] (rules.yaml:6:12): rules[0].value: the prefix "p" is not declared under namespaces'],
  ],
  [
    'values of the wrong kind',
    rule('    scale: fast\n    optional: maybe\n    ignore: [1]\n    map: { a: b }\n    labels: x\n    value: [1]\n'),
    [
      '[1] (rules.yaml:11:12): rules[0].value: a path or a number is expected',
      'x (rules.yaml:10:13): rules[0].labels: a mapping is expected',
      'fast (rules.yaml:6:12): rules[0].scale: a number is expected',
      'b (rules.yaml:9:15): rules[0].map.a: a number is expected',
      '1 (rules.yaml:8:14): rules[0].ignore[0]: text is expected',
      'maybe (rules.yaml:7:15): rules[0].optional: true or false is expected',
    ],
  ],
  [
    'a scale of nothing',
    rule('    scale: 0\n'),
    ['0 (rules.yaml:6:12): rules[0].scale: a number other than 0 is expected'],
  ],
  [
    'one mark for two things',
    rule("    thousands: ','\n    decimal: ','\n"),
    [', (rules.yaml:6:16): rules[0].thousands: thousands and decimal are the same'],
  ],
  [
    'a separator of two characters',
    rule("    thousands: ', '\n"),
    ['", " (rules.yaml:6:16): rules[0].thousands: ",", ".", " ", _ or "\'" is expected; did you mean ,?'],
  ],
  [
    'one metric with two types',
    `${rule('')}  - { metric: m, type: untyped, help: h, path: /b }\n`,
    ['untyped (rules.yaml:6:24): rules[1].type: rules.yaml:2:5 says that m is a gauge'],
  ],
  [
    'one metric with two meanings',
    `${rule('')}  - { metric: m, type: gauge, help: other, path: /b }\n`,
    ['other (rules.yaml:6:37): rules[1].help: rules.yaml:2:5 explains m in other words'],
  ],
  [
    'two rules that are both wrong',
    'rules:\n  - metric: 1a\n    type: x\n  - metrik: b\n',
    [
      'x (rules.yaml:3:11): rules[0].type: counter, gauge or untyped is expected',
      '(rules.yaml:2:5): rules[0].help: is missing: text is expected',
      '(rules.yaml:2:5): rules[0].path: is missing: text is expected',
      '(rules.yaml:4:5): rules[1].metric: is missing: text is expected',
      '(rules.yaml:4:5): rules[1].type: is missing: counter, gauge or untyped is expected',
      '(rules.yaml:4:5): rules[1].help: is missing: text is expected',
      '(rules.yaml:4:5): rules[1].path: is missing: text is expected',
      '(rules.yaml:4:5): rules[1].metrik: unknown; did you mean metric?',
    ],
  ],
  [
    'aliases that multiply',
    `a0: &a0 x\n${[1, 2, 3, 4, 5, 6, 7, 8].map((n) => `a${n}: &a${n} [${`*a${n - 1},`.repeat(9)}]\n`).join('')}rules: [*a8]\n`,
    ['rules.yaml:8:9 (--rules-file): its aliases multiply beyond what any file needs'],
  ],
])('%s', async (_, content, found) => {
  expect(await problems(content)).toEqual(found);
});
