import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { boolean, duration, list, path, secret, text } from '../../src/index.ts';
import { readParameters } from '../../src/testing/read-parameters.ts';
import { scratch } from '../../src/testing/scratch.ts';

const parameters = {
  config: path({ optional: true, help: 'File' }),
  podInfoDirectory: path({ optional: true, help: 'Annotations' }),
  period: duration({
    default: '1m',
    help: 'Period',
    deprecated: { flags: ['interval'], env: ['OUTRIGGER_INTERVAL'], keys: ['interval'] },
  }),
  names: list(text, { default: [], help: 'Names', deprecated: { flags: ['name'] } }),
  loud: boolean({ default: 'false', help: 'Loud', deprecated: { flags: ['noisy'] } }),
  token: secret({
    optional: true,
    help: 'Token',
    deprecated: { flags: ['key-file'], env: ['KEY', 'KEY_FILE'], keys: ['keyFile'] },
  }),
  depth: text({ default: '1', help: 'Depth', deprecated: 'nothing has a depth any more' }),
};

const read = (argv: readonly string[], env: Record<string, string> = {}) => readParameters(parameters, argv, { env });

test('former names still work, and each use is warned of with the name to use instead', async () => {
  await using directory = await scratch();
  const file = directory.join('c.yaml');
  await writeFile(file, 'loud: true\ninterval: 3s\n');
  await writeFile(directory.join('annotations'), 'outrigger.dev/sample.interval="4s"\n');
  for (const [argv, env, period, warning] of [
    [['--interval', '1s'], {}, 1000, '--interval is deprecated; use --period'],
    [[], { OUTRIGGER_INTERVAL: '2s' }, 2000, 'OUTRIGGER_INTERVAL is deprecated; use OUTRIGGER_PERIOD'],
    [['--config', file], {}, 3000, `${file}:2:1 interval is deprecated; use period`],
    [
      ['--pod-info-directory', directory.path],
      {},
      4000,
      'outrigger.dev/sample.interval is deprecated; use outrigger.dev/sample.period',
    ],
  ] as const) {
    const { values, problems, warnings } = await read(argv, env);
    expect({ period: values.period, problems, warnings }).toEqual({ period, problems: [], warnings: [warning] });
  }
});

test('a former flag may stand alone and be negated like the current one', async () => {
  expect(await read(['--noisy'])).toMatchObject({
    values: { loud: true },
    warnings: ['--noisy is deprecated; use --loud'],
  });
  expect(await read(['--no-noisy'])).toMatchObject({
    values: { loud: false },
    warnings: ['--noisy is deprecated; use --loud'],
  });
});

test('a secret has former names for its file and for itself', async () => {
  const { values, warnings, effective } = await read([], { KEY: 'hush' });
  expect(values.token?.read()).toBe('hush');
  expect(warnings).toEqual(['KEY is deprecated; use OUTRIGGER_TOKEN_FILE']);
  expect(JSON.stringify(effective)).not.toContain('hush');
});

test.each<[what: string, argv: string[], env: Record<string, string>, message: string]>([
  ['flags', ['--interval', '1s', '--period', '2s'], {}, 'is given twice, also as --interval'],
  ['repeatable flags', ['--name', 'a', '--names', 'b'], {}, 'is given twice, as --names and by its former name --name'],
  [
    'variables',
    [],
    { OUTRIGGER_INTERVAL: '1s', OUTRIGGER_PERIOD: '2s' },
    'is given twice, as OUTRIGGER_PERIOD and by its former name OUTRIGGER_INTERVAL',
  ],
])('the former and the current name at once are refused: %s', async (_, argv, env, message) => {
  expect((await read(argv, env)).problems).toMatchObject([{ message }]);
});

test('in the config file, the former and the current name at once are refused', async () => {
  await using directory = await scratch();
  const file = directory.join('c.yaml');
  await writeFile(file, 'period: 1s\ninterval: 2s\n');
  expect((await read(['--config', file])).problems).toEqual([
    {
      parameter: '--period',
      message: `is given twice, as ${file}:1:1 period and by its former name ${file}:2:1 interval`,
    },
  ]);
});

test('the current name as a flag overrides the former one as a variable', async () => {
  const { values, problems, warnings } = await read(['--period', '9s'], { OUTRIGGER_INTERVAL: '1s' });
  expect({ period: values.period, problems }).toEqual({ period: 9000, problems: [] });
  expect(warnings).toEqual(['OUTRIGGER_INTERVAL is deprecated; use OUTRIGGER_PERIOD']);
});

test('a parameter that is deprecated as a whole says why when it is used', async () => {
  expect((await read(['--depth', '2'])).warnings).toEqual(['--depth is deprecated: nothing has a depth any more']);
  expect((await read([])).warnings).toEqual([]);
});

test('a former name is never suggested', async () => {
  expect((await read(['--intervall', '1s'])).problems).toEqual([{ parameter: '--intervall', message: 'unknown' }]);
});
