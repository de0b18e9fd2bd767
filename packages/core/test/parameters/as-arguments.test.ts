import { expect, test } from 'vitest';
import { argumentsOf } from '../../src/documents.ts';
import {
  boolean,
  duration,
  family,
  list,
  map,
  nested,
  parseStructure,
  resolveParameters,
  secret,
  text,
} from '../../src/index.ts';
import * as z from '../../src/schema.ts';

const parameters = {
  name: text({ help: 'Name', aliases: { flags: ['n'] } }),
  wait: duration({ default: '1s', help: 'Wait', deprecated: { keys: ['pause'] } }),
  tag: list(text, { default: ['a'], help: 'Tags' }),
  label: map(text, { optional: true, help: 'Labels' }),
  fast: boolean({ default: 'true', help: 'Fast' }),
  token: secret({ optional: true, help: 'Token' }),
  rules: nested(z.strictObject({ x: z.number() }), { optional: true, help: 'Rules' }),
  sink: family(
    {
      file: { summary: 'File', parameters: { path: text({ help: 'Path' }) } },
      none: { summary: 'None', parameters: {} },
    },
    { default: ['none'], help: 'Sink' },
  ),
};

async function read(yaml: string) {
  const parsed = await parseStructure('list.yaml', yaml);
  if (!('structure' in parsed)) throw new Error(JSON.stringify(parsed.problems));
  return argumentsOf(parameters, parsed.structure, ['of', 0]);
}

test('what a mapping says is what its words say', async () => {
  const { argv, values, problems, warnings } = await read(
    'of: [{ sinkFilePath: /x y, sink: file, fast: false, label: { b: 2, a: "1,2" }, tag: [x, -y], pause: 10s, tokenFile: /t, name: "a=b" }]',
  );
  expect(problems).toEqual([]);
  expect(warnings).toEqual(['list.yaml:1:94 pause is deprecated; use wait']);
  expect(argv).toEqual([
    '--name=a=b',
    '--wait=10s',
    '--tag=x',
    '--tag=-y',
    '--label=a=1,2',
    '--label=b=2',
    '--fast=false',
    '--token-file=/t',
    '--sink=file',
    '--sink-file-path=/x y',
  ]);
  const again = resolveParameters(parameters, { argv, env: {}, checkFiles: false });
  expect(again.problems).toEqual([]);
  expect({ ...again.values, token: undefined }).toEqual({ ...values, token: undefined });
});

test('every problem has its place', async () => {
  const { problems } = await read('of:\n  - wait: soon\n    nam: x\n    tag: []\n    rules: { x: 1 }\n    sink: fil');
  expect(problems.map(({ parameter, source, message }) => [parameter, source, message])).toEqual([
    ['nam', 'list.yaml:3:5', 'unknown; did you mean name?'],
    ['--name', undefined, 'is required: name'],
    ['--wait', 'list.yaml:2:5', 'a duration such as 500ms, 10s or 2m is expected'],
    ['--sink', 'list.yaml:6:5', 'file or none is expected; did you mean file?'],
    ['--tag', 'list.yaml:4:5', 'a value is expected'],
    ['--rules-file', 'list.yaml:5:5', 'is too much for a command line: put it into a file and give rulesFile'],
  ]);
});

test('what has no effect in a file is wrong on a command line', async () => {
  const { problems, warnings } = await read('of: [{ name: x, sinkFilePath: /x }]');
  expect(warnings).toEqual([]);
  expect(problems).toEqual([
    {
      parameter: '--sink-file-path',
      value: '/x',
      source: 'list.yaml:1:17',
      message: 'has no effect without --sink file',
    },
  ]);
});

test('no parameters at all are those that are missing', async () => {
  expect((await read('of: []')).problems).toEqual([{ parameter: '--name', message: 'is required: name' }]);
});
