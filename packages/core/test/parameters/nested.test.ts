import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { formatProblem, nested, path, resolveParameters, text } from '../../src/index.ts';
import { renderSchema } from '../../src/parameters/schema.ts';
import { openSources } from '../../src/parameters/sources.ts';
import * as z from '../../src/schema.ts';
import { type Scratch, scratch } from '../../src/testing/scratch.ts';

const target = z.discriminatedUnion('to', [
  z.strictObject({ to: z.literal('file'), path: z.string() }),
  z.strictObject({ to: z.literal('peer'), host: z.string(), port: z.int().check(z.minimum(1), z.maximum(65535)) }),
]);
const route = z.strictObject({
  name: z.string().check(z.regex(/^[a-z]+$/)),
  weight: z.optional(z.number()),
  target,
  match: z.optional(
    z.union([z.string(), z.strictObject({ prefix: z.string(), methods: z.array(z.enum(['GET', 'POST'])) })]),
  ),
});
const schema = z.strictObject({
  routes: z.array(route).check(z.minLength(1)),
  labels: z.optional(z.record(z.string(), z.string())),
});

const parameters = {
  config: path({ optional: true, help: 'File' }),
  title: text({ default: 'none', help: 'Title' }),
  table: nested(schema, {
    help: 'Routes',
    optional: true,
    reloadable: true,
    read({ routes }, { place, problem }) {
      for (const [index, { name }] of routes.entries())
        if (routes.findIndex((each) => each.name === name) < index)
          problem(
            `stands at ${place(
              'routes',
              routes.findIndex((each) => each.name === name),
            )} as well`,
            'routes',
            index,
            'name',
          );
      return routes.map(({ name }, index) => ({ name, place: place('routes', index) }));
    },
  }),
};

async function resolve(argv: readonly string[], env: Record<string, string> = {}) {
  const sources = await openSources(parameters, { argv, env, role: 'sample' });
  return { ...resolveParameters(parameters, { argv, env, sources }), files: sources.files };
}

const good = 'routes:\n  - name: a\n    target: { to: file, path: /a }\n';

/** The lines about a file of this content, without its directory. */
async function said(content: string): Promise<string[]> {
  await using directory = await scratch();
  await writeFile(directory.join('t.yaml'), content);
  const { problems } = await resolve(['--table-file', directory.join('t.yaml')]);
  expect(problems.filter(({ parameter }) => parameter !== '--table-file')).toEqual([]);
  return problems.map((problem) => formatProblem(problem).replaceAll(`${directory.path}/`, ''));
}

const files = async (directory: Scratch, contents: Record<string, string>) => {
  for (const [name, content] of Object.entries(contents)) await writeFile(directory.join(name), content);
};

test.each(['flag', 'variable', 'config file', 'config file, inline'])('a structure is given by %s', async (way) => {
  await using directory = await scratch();
  const [table, config] = [directory.join('t.yaml'), directory.join('c.yaml')];
  const inline = way.endsWith('inline');
  await files(directory, {
    't.yaml': good,
    'c.yaml': inline ? `title: x\ntable:\n${good.replace(/^/gm, '  ')}` : `tableFile: ${table}\n`,
  });
  const argv = way === 'flag' ? ['--table-file', table] : way === 'variable' ? [] : ['--config', config];
  const {
    values,
    effective,
    problems,
    files: read,
  } = await resolve(argv, way === 'variable' ? { OUTRIGGER_TABLE_FILE: table } : {});
  expect(problems).toEqual([]);
  expect(values.table).toEqual([{ name: 'a', place: inline ? `${config}:4:7` : `${table}:2:5` }]);
  expect(effective.table?.value).toEqual(
    inline ? { routes: [{ name: 'a', target: { to: 'file', path: '/a' } }] } : table,
  );
  expect(read).toEqual(way.startsWith('config') ? [config, ...(inline ? [] : [table])] : [table]);
});

test('both ways at once are refused', async () => {
  await using directory = await scratch();
  await files(directory, { 't.yaml': good, 'c.yaml': `table: { routes: [] }\n` });
  const config = directory.join('c.yaml');
  const { problems } = await resolve(['--config', config, '--table-file', directory.join('t.yaml')]);
  expect(problems[0]).toMatchObject({ parameter: '--table-file', message: `table is given at ${config}:1:1 as well` });
});

test.each<[what: string, content: string, found: string[]]>([
  ['a misspelt key', `${good}    wieght: 3\n`, ['(t.yaml:4:5): routes[0].wieght: unknown; did you mean weight?']],
  ['a key like none', `${good}zzz: 3\n`, ['(t.yaml:4:1): zzz: unknown; known are routes, labels']],
  ['another type', `${good}    weight: heavy\n`, ['heavy (t.yaml:4:13): routes[0].weight: a number is expected']],
  [
    'what is missing',
    'routes: [{ name: a }]\n',
    ['(t.yaml:1:10): routes[0].target: is missing: a mapping is expected'],
  ],
  [
    'a wrong form',
    good.replace('name: a', 'name: A1'),
    ['A1 (t.yaml:2:11): routes[0].name: text matching /^[a-z]+$/ is expected'],
  ],
  ['an empty list', 'routes: []\n', ['[] (t.yaml:1:9): routes: a list of at least 1 is expected']],
  ['nothing', '', ['null (t.yaml:1:1): a mapping is expected']],
  [
    'an unknown member of a union',
    good.replace('to: file', 'to: flie'),
    ['flie (t.yaml:3:19): routes[0].target.to: file or peer is expected; did you mean file?'],
  ],
  [
    'what the chosen member of a union does not know',
    good.replace('path: /a', 'paht: /a'),
    [
      '(t.yaml:3:13): routes[0].target.path: is missing: text is expected',
      '(t.yaml:3:25): routes[0].target.paht: unknown; did you mean path?',
    ],
  ],
  [
    'a number beyond its limits, in the member that was meant',
    good.replace('to: file, path: /a', 'to: peer, host: b, port: 70000'),
    ['70000 (t.yaml:3:40): routes[0].target.port: a number of at most 65535 is expected'],
  ],
  [
    'a detail of a union without a name field',
    `${good}    match: { prefix: /a, methods: [GET, PSOT] }\n`,
    ['PSOT (t.yaml:4:41): routes[0].match.methods[1]: GET or POST is expected; did you mean POST?'],
  ],
  [
    'a misspelt key in a union without a name field',
    `${good}    match: { prefx: /a, methods: [] }\n`,
    [
      '(t.yaml:4:12): routes[0].match.prefix: is missing: text is expected',
      '(t.yaml:4:14): routes[0].match.prefx: unknown; did you mean prefix?',
    ],
  ],
  [
    'nothing that a union takes',
    `${good}    match: 5\n`,
    ['5 (t.yaml:4:12): routes[0].match: text or a mapping is expected'],
  ],
  ['a wrong value in a mapping', `${good}labels: { a: 1 }\n`, ['1 (t.yaml:4:14): labels.a: text is expected']],
  [
    'what only the reader sees',
    `${good}  - { name: a, target: { to: file, path: b } }\n`,
    ['a (t.yaml:4:13): routes[1].name: stands at t.yaml:2:5 as well'],
  ],
  [
    'an alias',
    `routes:\n  - &r { name: 5, target: { to: file, path: a } }\n  - *r\n`,
    ['5 (t.yaml:2:16): routes[0].name: text is expected', '5 (t.yaml:2:16): routes[1].name: text is expected'],
  ],
  [
    'no YAML',
    'routes: [\n',
    ['t.yaml:2:1 (--table-file): Flow sequence in block collection must be sufficiently indented and end with a ]'],
  ],
  [
    'a password in a URL',
    `${good}    weight: http://me:hush@host/\n`,
    ['http://[redacted]@host/ (t.yaml:4:13): routes[0].weight: a number is expected'],
  ],
])('%s is told with its place and path', async (_, content, found) => {
  expect(await said(content)).toEqual(found);
});

test('a file that is missing is named with where the name came from', async () => {
  const { problems } = await resolve([], { OUTRIGGER_TABLE_FILE: '/nonexistent/t.yaml' });
  expect(problems).toEqual([
    {
      parameter: '--table-file',
      value: '/nonexistent/t.yaml',
      source: 'OUTRIGGER_TABLE_FILE',
      message: 'no such file',
    },
  ]);
});

test('on a machine that has none of the files, the name of one is enough', () => {
  const given = { argv: ['--table-file', '/nonexistent/t.yaml'], env: {}, checkFiles: false };
  expect(resolveParameters(parameters, given).problems).toEqual([]);
});

test('the schema of the config file holds that of the structure, with what refers to itself', () => {
  const tree = z.strictObject({
    name: z.string(),
    get parts() {
      return z.optional(z.array(tree));
    },
  });
  const { properties } = renderSchema('t', { tree: nested(tree, { help: 'Tree', optional: true }) }) as {
    properties: Record<string, object>;
  };
  expect(properties.treeFile).toMatchObject({ type: 'string' });
  expect(JSON.stringify(properties.tree)).toContain('"$ref":"#/properties/tree"');
  expect(properties.tree).toMatchObject({ type: 'object', additionalProperties: false, required: ['name'] });
});
