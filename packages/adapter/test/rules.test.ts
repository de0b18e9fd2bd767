import { expect, test } from 'vitest';
import { parseRules } from '../src/rules.ts';

const problems = (content: string) => {
  const parsed = parseRules('r.yaml', content);
  return 'problems' in parsed ? parsed.problems.map((each) => each.replace(/; a path is made of.*/, '')) : [];
};
const rule = (more: string, metric = 'm') =>
  `rules:\n  - metric: ${metric}\n    type: gauge\n    help: h\n    path: /a\n${more}`;

test('a file with every key is accepted', () => {
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
  expect(problems(file)).toEqual([]);
});

test.each<[what: string, content: string, found: string[]]>([
  ['an empty file', '', ['r.yaml:1:1 a mapping is expected, not null']],
  ['a list', '- a\n', ['r.yaml:1:1 a mapping is expected, not ["a"]']],
  ['no rules', 'root: a\n', ['r.yaml:1:1 rules: is missing: a list is expected']],
  ['an empty list of rules', 'rules: []\n', ['r.yaml:1:8 rules: at least one rule is expected']],
  ['rules that are no list', 'rules: 5\n', ['r.yaml:1:8 rules: a list is expected, not 5']],
  ['a rule that is no mapping', 'rules: [5]\n', ['r.yaml:1:9 rules[0]: a mapping is expected, not 5']],
  [
    'a misspelt key of the file',
    'rulse: []\nrules: [5]\n',
    ['r.yaml:1:1 rulse: unknown; did you mean rules?', 'r.yaml:2:9 rules[0]: a mapping is expected, not 5'],
  ],
  [
    'a misspelt key of a rule',
    rule('    optionl: true\n'),
    ['r.yaml:6:5 rules[0].optionl: unknown; did you mean optional?'],
  ],
  [
    'a key like none',
    rule('    zzz: 1\n'),
    [
      'r.yaml:6:5 rules[0].zzz: unknown; known are metric, type, help, path, value, labels, format, thousands, decimal, scale, map, ignore, optional',
    ],
  ],
  [
    'a misspelt type',
    rule('').replace('gauge', 'guage'),
    ['r.yaml:3:11 rules[0].type: counter, gauge or untyped is expected, not "guage"; did you mean gauge?'],
  ],
  [
    'an unknown format',
    rule('    format: percentage\n'),
    [
      'r.yaml:6:13 rules[0].format: number, percent, boolean, duration, size or timestamp is expected, not "percentage"; did you mean percent?',
    ],
  ],
  [
    'everything missing',
    'rules: [{}]\n',
    [
      'r.yaml:1:9 rules[0].metric: is missing: text is expected',
      'r.yaml:1:9 rules[0].type: is missing: counter, gauge or untyped is expected',
      'r.yaml:1:9 rules[0].help: is missing: text is expected',
      'r.yaml:1:9 rules[0].path: is missing: text is expected',
    ],
  ],
  [
    'broken YAML',
    'rules:\n  - metric: [\n',
    ['r.yaml:3:1 Flow sequence in block collection must be sufficiently indented and end with a ]'],
  ],
  ['a key twice', 'rules: []\nrules: []\n', ['r.yaml:2:1 Map keys must be unique']],
  [
    'a metric name with a dash',
    rule('', 'a-b'),
    [
      'r.yaml:2:13 rules[0].metric: "a-b" is no metric name: letters, digits and _ are expected, not starting with a digit',
    ],
  ],
  [
    'a metric name with a colon',
    rule('', '"a:b"'),
    [
      'r.yaml:2:13 rules[0].metric: "a:b" is no metric name: letters, digits and _ are expected, not starting with a digit',
    ],
  ],
  [
    "the sidecar's own names",
    rule('', 'process_x'),
    ['r.yaml:2:13 rules[0].metric: process_x: names in outrigger_ and process_ are taken by the sidecar'],
  ],
  [
    'a gauge named as a counter',
    rule('', 'a_total'),
    ['r.yaml:2:13 rules[0].metric: a_total: only a counter ends in _total'],
  ],
  [
    'a counter named as a gauge',
    rule('', 'a').replace('gauge', 'counter'),
    ['r.yaml:2:13 rules[0].metric: a counter is named a_total'],
  ],
  [
    "a histogram's suffix",
    rule('', 'a_sum'),
    ['r.yaml:2:13 rules[0].metric: a_sum: _sum belongs to histograms and summaries'],
  ],
  [
    'label names that are taken',
    rule("    labels: { __name__: '@a', le: '@b', 'x-y': '@c' }\n"),
    [
      'r.yaml:6:25 rules[0].labels.__name__: __name__: names starting with __ belong to Prometheus',
      'r.yaml:6:35 rules[0].labels.le: le belongs to histograms and summaries',
      'r.yaml:6:48 rules[0].labels.x-y: "x-y" is no label name: letters, digits and _ are expected',
    ],
  ],
  [
    'wrong paths',
    rule("    value: count(a)\n    labels: { l: 'a[' }\n").replace('/a', '/a/'),
    [
      'r.yaml:5:11 rules[0].path: the end at character 4 is not expected',
      'r.yaml:6:12 rules[0].value: "count" at character 1 is not expected',
      'r.yaml:7:18 rules[0].labels.l: the end at character 3 is not expected',
    ],
  ],
  [
    'a literal where nodes are needed',
    rule('').replace('/a', "'5'"),
    ['r.yaml:5:11 rules[0].path: a path to elements or attributes is expected, not a literal'],
  ],
  [
    'an undeclared prefix',
    rule("    value: a[p:b='c']\n"),
    ['r.yaml:6:12 rules[0].value: the prefix "p" is not declared under namespaces'],
  ],
  [
    'values of the wrong kind',
    rule('    scale: fast\n    optional: maybe\n    ignore: [1]\n    map: { a: b }\n    labels: x\n    value: [1]\n'),
    [
      'r.yaml:11:12 rules[0].value: a path or a number is expected, not [1]',
      'r.yaml:10:13 rules[0].labels: a mapping is expected, not "x"',
      'r.yaml:6:12 rules[0].scale: a number is expected, not "fast"',
      'r.yaml:9:15 rules[0].map.a: a number is expected, not "b"',
      'r.yaml:8:14 rules[0].ignore[0]: text is expected, not 1',
      'r.yaml:7:15 rules[0].optional: true or false is expected, not "maybe"',
    ],
  ],
  ['a scale of nothing', rule('    scale: 0\n'), ['r.yaml:6:12 rules[0].scale: a number other than 0 is expected']],
  [
    'one mark for two things',
    rule("    thousands: ','\n    decimal: ','\n"),
    ['r.yaml:6:16 rules[0].thousands: thousands and decimal are the same'],
  ],
  [
    'a separator of two characters',
    rule("    thousands: ', '\n"),
    ['r.yaml:6:16 rules[0].thousands: ",", ".", " ", _ or "\'" is expected, not ", "; did you mean ,?'],
  ],
  [
    'one metric with two types',
    `${rule('')}  - { metric: m, type: untyped, help: h, path: /b }\n`,
    ['r.yaml:6:24 rules[1].type: r.yaml:2:5 says that m is a gauge'],
  ],
  [
    'one metric with two meanings',
    `${rule('')}  - { metric: m, type: gauge, help: other, path: /b }\n`,
    ['r.yaml:6:37 rules[1].help: r.yaml:2:5 explains m in other words'],
  ],
  [
    'two rules that are both wrong',
    'rules:\n  - metric: 1a\n    type: x\n  - metrik: b\n',
    [
      'r.yaml:3:11 rules[0].type: counter, gauge or untyped is expected, not "x"',
      'r.yaml:2:5 rules[0].help: is missing: text is expected',
      'r.yaml:2:5 rules[0].path: is missing: text is expected',
      'r.yaml:4:5 rules[1].metric: is missing: text is expected',
      'r.yaml:4:5 rules[1].type: is missing: counter, gauge or untyped is expected',
      'r.yaml:4:5 rules[1].help: is missing: text is expected',
      'r.yaml:4:5 rules[1].path: is missing: text is expected',
      'r.yaml:4:5 rules[1].metrik: unknown; did you mean metric?',
    ],
  ],
  [
    'aliases that multiply',
    `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nrules: [*c,*c,*c,*c,*c]\n`,
    ['r.yaml: Excessive alias count indicates a resource exhaustion attack'],
  ],
])('%s', (_, content, found) => {
  expect(problems(content)).toEqual(found);
});
