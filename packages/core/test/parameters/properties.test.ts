// Laws that hold for any input and any declaration. fast-check prints the seed of what fails.

import { mkdir, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { renderDocuments } from '../../src/documents.ts';
import {
  address,
  boolean,
  choice,
  type Parameters as Declared,
  duration,
  family,
  integer,
  list,
  map,
  nested,
  type Options,
  type Parameter,
  path,
  resolveParameters,
  secret,
  size,
  text,
  url,
} from '../../src/index.ts';
import { renderHelp } from '../../src/parameters/help.ts';
import { renderSchema } from '../../src/parameters/schema.ts';
import { standardParameters } from '../../src/parameters/standard.ts';
import * as z from '../../src/schema.ts';
import { readParameters } from '../../src/testing/read-parameters.ts';
import { scratch } from '../../src/testing/scratch.ts';

const parameters = {
  config: path({ optional: true, help: 'File' }),
  podInfoDirectory: path({ optional: true, help: 'Annotations' }),
  period: integer({
    default: '0',
    help: 'Period',
    aliases: { flags: ['wait'], env: ['WAIT'] },
    deprecated: { flags: ['old'], keys: ['old'] },
  }),
  names: list(text, { default: [], help: 'Names' }),
  labels: map(text, { default: [], help: 'Labels' }),
  password: secret({ optional: true, help: 'Password' }),
  loud: boolean({ default: 'false', help: 'Loud' }),
  sink: family(
    { a: { summary: 'A', parameters: { size: size({ default: '1KiB', help: 'Size' }) } } },
    { default: ['a'], help: 'Sink' },
  ),
  rules: nested(
    z.strictObject({
      limit: z.optional(z.number()),
      parts: z.optional(z.array(z.union([z.string(), z.strictObject({ x: z.number() })]))),
    }),
    { optional: true, help: 'Rules' },
  ),
};

test('of flag, variable, annotation, config file and default the first that is given wins', async () => {
  await using directory = await scratch();
  const file = directory.join('config.yaml');
  const given = fc.record({ flag: fc.boolean(), env: fc.boolean(), annotation: fc.boolean(), config: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(given, fc.boolean(), async ({ flag, env, annotation, config }, byAlias) => {
      await writeFile(file, config ? '# made\nperiod: 4\n' : '{}\n');
      await writeFile(directory.join('annotations'), annotation ? 'outrigger.dev/sample.period="3"\n' : '');
      const argv = [
        '--config',
        file,
        '--pod-info-directory',
        directory.path,
        ...(flag ? [byAlias ? '--wait' : '--period', '1'] : []),
      ];
      const { values, effective, problems } = await readParameters(parameters, argv, {
        env: env ? { [byAlias ? 'WAIT' : 'OUTRIGGER_PERIOD']: '2' } : {},
      });
      const order: readonly (readonly [boolean, number, string])[] = [
        [flag, 1, byAlias ? '--wait' : '--period'],
        [env, 2, byAlias ? 'WAIT' : 'OUTRIGGER_PERIOD'],
        [annotation, 3, 'annotation outrigger.dev/sample.period'],
        [config, 4, `${file}:2:1`],
        [true, 0, 'default'],
      ];
      const [, value, source] = order.find(([is]) => is)!;
      expect({ problems, value: values.period, source: effective.period?.source }).toEqual({
        problems: [],
        value,
        source,
      });
    }),
    { numRuns: 64 },
  );
});

const words = fc.constantFrom(
  ...[
    '--period',
    '--old',
    '--names',
    '--labels',
    '--sink',
    '--sink-a-size',
    '--rules-file',
    '--loud',
    '--no-loud',
    '--password-file',
  ],
  ...['a', '1', '=', '-', '--', '--no-', 'x=y', '/dev/null', '/', '\0', '--period=', '-wait=3', '--help'],
);
const yamlish = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.json(),
  fc
    .dictionary(
      fc.constantFrom('period', 'old', 'names', 'labels', 'sink', 'rules', 'rulesFile', 'loud', '<<', '__proto__'),
      fc.jsonValue(),
    )
    .map((value) => stringify(value)),
  fc
    .array(
      fc.constantFrom(
        'period: ',
        'rules: ',
        '&a ',
        '*a',
        '<<: ',
        '\n',
        '  ',
        '- ',
        '[',
        ']',
        '{',
        '}',
        '!x ',
        '---\n',
        '"',
        ': ',
        '1',
        '|',
        '? ',
      ),
    )
    .map((parts) => parts.join('')),
);

test('no argv, variables, files or annotations make it throw: what is wrong comes back as problems', async () => {
  await using directory = await scratch();
  const [config, rules, info] = ['config.yaml', 'rules.yaml', 'info'].map((name) => directory.join(name)) as [
    string,
    string,
    string,
  ];
  await mkdir(info);
  const input = {
    argv: fc.array(fc.oneof(words, fc.string({ unit: 'binary' }))),
    env: fc.dictionary(
      fc.constantFrom(
        'OUTRIGGER_PERIOD',
        'OUTRIGGER_SINK',
        'OUTRIGGER_LABELS',
        'OUTRIGGER_PASSWORD',
        'OUTRIGGER_PERIDO',
        '__proto__',
      ),
      fc.string({ unit: 'binary' }),
    ),
    config: fc.oneof(yamlish, fc.uint8Array()),
    rules: fc.oneof(yamlish, fc.uint8Array()),
    annotations: fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom('outrigger.dev/sample.', 'period', '="', '\\', 'x41', 'U00110000', '"', '\n', '1'))
        .map((parts) => parts.join('')),
      fc.uint8Array(),
    ),
  };
  await fc.assert(
    fc.asyncProperty(fc.record(input), async (given) => {
      await writeFile(config, given.config);
      await writeFile(rules, given.rules);
      await writeFile(`${info}/annotations`, given.annotations);
      const argv = ['--config', config, '--rules-file', rules, '--pod-info-directory', info, ...given.argv];
      const read = await readParameters(parameters, argv, { env: given.env });
      // As a manifest is checked, on a machine that has none of the files.
      const unread = resolveParameters(parameters, { argv, env: given.env, checkFiles: false });
      for (const { problems, warnings } of [read, unread]) {
        for (const { parameter, message } of problems) {
          expect(parameter).not.toBe('');
          expect(message).toMatch(/\S/);
        }
        for (const warning of warnings) expect(warning).not.toBe('');
      }
    }),
    { numRuns: 300 },
  );
});

const name = fc.stringMatching(/^[a-z][a-zA-Z0-9]{0,12}$/);
const said = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('With | pipe', 'With `ticks`\nand lines'));
const options: fc.Arbitrary<Omit<Options, 'default'>> = fc.record(
  {
    help: said,
    optional: fc.boolean(),
    reloadable: fc.boolean(),
    example: said,
    aliases: fc.record({ flags: fc.array(name), env: fc.array(name) }, { requiredKeys: [] }),
    deprecated: fc.oneof(
      said,
      fc.record({ flags: fc.array(name), env: fc.array(name), keys: fc.array(name) }, { requiredKeys: [] }),
    ),
  },
  { requiredKeys: ['help'] },
) as fc.Arbitrary<Omit<Options, 'default'>>;
const structure = fc.constantFrom(
  z.strictObject({ a: z.string() }),
  z.array(z.union([z.number(), z.record(z.string(), z.date())])),
  z.custom<string>((value) => value === 'x'),
);
const leaf: fc.Arbitrary<Parameter<unknown>> = fc.oneof(
  fc
    .tuple(fc.constantFrom(text, boolean, integer, duration, size, address, url, path, secret), options)
    .map(([kind, each]) => (kind as typeof text)(each) as Parameter<unknown>),
  fc
    .tuple(fc.uniqueArray(said, { minLength: 1 }), options)
    .map(([choices, each]) => choice(choices, each) as Parameter<unknown>),
  fc
    .tuple(fc.constantFrom(list, map), fc.constantFrom(text, size), options)
    .map(([many, of, each]) => many(of as typeof text, each) as Parameter<unknown>),
  fc.tuple(structure, options).map(([schema, each]) => nested(schema as z.ZodMiniType, each) as Parameter<unknown>),
);
const flat = fc.dictionary(name, leaf, { maxKeys: 5 });
const declaration: fc.Arbitrary<Declared> = fc
  .tuple(
    flat,
    fc.dictionary(name, fc.record({ summary: said, parameters: flat }), { minKeys: 1, maxKeys: 3 }),
    options,
    fc.boolean(),
  )
  .map(([some, members, each, repeatable]) => ({
    ...some,
    chosen: family(members, { ...each, repeatable }) as Parameter<unknown>,
  }));

test('help, reference and schema can be rendered of any declaration', () => {
  fc.assert(
    fc.property(declaration, (declared) => {
      const sidecar = { name: 'any', summary: 'Any', version: '1.0.0', parameters: declared, start: () => undefined };
      const help = renderHelp(sidecar, declared, standardParameters(9410));
      const readme = renderDocuments(sidecar, '<!-- generated:parameters -->\n<!-- /generated -->')['README.md']!;
      const { properties } = renderSchema('any', declared) as { properties: object };
      for (const key of Object.keys(declared)) {
        expect(Object.keys(properties).some((each) => each === key || each === `${key}File`)).toBe(true);
        const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
        expect(help).toContain(flag);
        expect(readme).toContain(`\`${flag}`);
      }
      // One row for each: nothing in a help text breaks the table.
      const rows = readme.split('\n').filter((line) => line.startsWith('|'));
      expect(rows.every((row) => row.endsWith(' |'))).toBe(true);
    }),
  );
});
