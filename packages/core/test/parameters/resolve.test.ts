import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import {
  address,
  boolean,
  choice,
  duration,
  family,
  integer,
  list,
  map,
  path,
  resolveParameters,
  secret,
  size,
  text,
  url,
} from '../../src/index.ts';
import { standardParameters } from '../../src/parameters/standard.ts';
import { readParameters } from '../../src/testing/read-parameters.ts';
import { scratch } from '../../src/testing/scratch.ts';
import { until } from '../../src/testing/until.ts';

const sinks = {
  stdout: { summary: 'Standard output', parameters: {} },
  forward: {
    summary: 'Fluent Forward',
    parameters: {
      address: address({ help: 'Where the receiver listens' }),
      sharedKey: secret({ optional: true, help: 'Shared key' }),
    },
  },
};

const parameters = {
  config: path({ optional: true, help: 'File' }),
  listenAddress: address({ default: '0.0.0.0:8443', help: 'Where clients connect' }),
  upstream: url({ default: 'http://127.0.0.1:8080', help: 'The application' }),
  period: duration({
    default: '10s',
    min: '1s',
    help: 'Period',
    aliases: { flags: ['wait'], env: ['GITSYNC_PERIOD'] },
  }),
  limit: size({ default: '64KiB', help: 'Limit' }),
  depth: integer({ default: '0', min: 0, max: 100, help: 'Depth' }),
  mode: choice(['http', 'tcp'], { default: 'http', help: 'Mode' }),
  static: boolean({ default: 'false', help: 'Static' }),
  names: list(text, { default: [], help: 'Names' }),
  labels: map(text, { default: ['job=outrigger'], help: 'Labels' }),
  password: secret({ optional: true, help: 'Password' }),
  sink: family(sinks, { default: ['stdout'], repeatable: true, help: 'Where lines go' }),
};

const resolve = (argv: readonly string[], env: Record<string, string> = {}) =>
  resolveParameters(parameters, { argv, env });

describe('values', () => {
  test('defaults are parsed like anything a person writes', () => {
    const { values, problems } = resolve([]);
    expect(problems).toEqual([]);
    expect(values.listenAddress).toMatchObject({ host: '0.0.0.0', port: 8443 });
    expect(values.upstream.port).toBe('8080');
    expect(values).toMatchObject({ period: 10_000, limit: 65_536, depth: 0, mode: 'http', static: false, names: [] });
    expect(values.labels).toEqual({ job: 'outrigger' });
    expect(values.sink.map(({ name }) => name)).toEqual(['stdout']);
    expect(values.password).toBeUndefined();
  });

  test('a flag wins over the environment, that over the file, that over the default', async () => {
    await using directory = await scratch();
    const file = directory.join('config.yaml');
    await writeFile(file, 'period: 3s\ndepth: 3\nmode: tcp\nnames: [x, y]\nlabels: {a: 1}\n');
    const { values, effective, problems } = await readParameters(parameters, ['--period=1s', '--config', file], {
      env: { OUTRIGGER_PERIOD: '2s', OUTRIGGER_DEPTH: '2' },
    });
    expect(problems).toEqual([]);
    expect(values).toMatchObject({ period: 1000, depth: 2, mode: 'tcp', names: ['x', 'y'], labels: { a: '1' } });
    expect(effective.period).toMatchObject({ value: '1s', source: '--period' });
    expect(effective.depth?.source).toBe('OUTRIGGER_DEPTH');
    expect(effective.mode?.source).toBe(`${file}:3:1`);
    expect(effective.limit?.source).toBe('default');
  });

  test('aliases are further names of the same parameter', () => {
    expect(resolve(['--wait', '5s']).values.period).toBe(5000);
    expect(resolve(['-wait=5s']).values.period).toBe(5000);
    expect(resolve([], { GITSYNC_PERIOD: '7s' }).values.period).toBe(7000);
    expect(resolve(['--period', '1s', '--wait', '2s']).problems).toEqual([
      { parameter: '--wait', message: 'is given twice, also as --period' },
    ]);
  });

  test('a boolean stands alone, is given or is negated', () => {
    expect(resolve(['--static']).values.static).toBe(true);
    expect(resolve(['--static', 'false']).values.static).toBe(false);
    expect(resolve(['--no-static']).values.static).toBe(false);
    expect(resolve(['--static=yes']).problems).toMatchObject([{ message: 'true or false is expected' }]);
  });

  test('lists repeat as flags and are separated by commas or newlines as variables', () => {
    expect(resolve(['--names', 'a,b', '--names', 'c']).values.names).toEqual(['a,b', 'c']);
    expect(resolve([], { OUTRIGGER_NAMES: 'a, b' }).values.names).toEqual(['a', 'b']);
    expect(resolve([], { OUTRIGGER_NAMES: 'a,b\nc\n' }).values.names).toEqual(['a,b', 'c']);
  });

  test('an empty variable is an unset one', () => {
    expect(resolve([], { OUTRIGGER_PERIOD: '' }).values.period).toBe(10_000);
  });
});

describe('families', () => {
  test('a chosen member reads its own parameters', () => {
    const { values, problems } = resolve(['--sink', 'forward', '--sink-forward-address', '127.0.0.1:24224']);
    expect(problems).toEqual([]);
    expect(values.sink).toHaveLength(1);
    expect(String(values.sink[0]?.parameters.address)).toBe('127.0.0.1:24224');
  });

  test('a chosen member that misses a required parameter says so', () => {
    expect(resolve(['--sink', 'forward']).problems).toMatchObject([
      { parameter: '--sink-forward-address', message: 'is required: where the receiver listens' },
    ]);
  });

  test('a parameter of a member that is not chosen is refused on the command line, and pointed out elsewhere', () => {
    expect(resolve(['--sink-forward-address', '127.0.0.1:1']).problems).toMatchObject([
      { parameter: '--sink-forward-address', message: 'has no effect without --sink forward' },
    ]);
    const { problems, warnings } = resolve([], { OUTRIGGER_SINK_FORWARD_ADDRESS: '127.0.0.1:1' });
    expect(problems).toEqual([]);
    expect(warnings).toEqual([
      '--sink-forward-address (OUTRIGGER_SINK_FORWARD_ADDRESS): has no effect without --sink forward',
    ]);
  });

  test('an unknown member is named with the nearest', () => {
    expect(resolve(['--sink', 'foward']).problems).toMatchObject([
      { value: 'foward', message: 'stdout or forward is expected; did you mean forward?' },
    ]);
  });
});

describe('problems', () => {
  test.each([
    ['--listen-address', 'nowhere', 'an address such as 127.0.0.1:8080 is expected'],
    ['--listen-address', '127.0.0.1:70000', 'an address such as 127.0.0.1:8080 is expected'],
    ['--upstream', 'localhost:8080', 'a URL such as http://127.0.0.1:8080 is expected'],
    ['--upstream', 'ftp://x', 'a URL such as http://127.0.0.1:8080 is expected'],
    ['--period', '10', 'a duration such as 500ms, 10s or 2m is expected'],
    ['--period', '10ms', 'a duration of at least 1s is expected'],
    ['--limit', '64 KiB', 'a size such as 512B, 64KiB or 1MiB is expected'],
    ['--depth', '1.5', 'a whole number from 0 to 100 is expected'],
    ['--depth', '101', 'a whole number from 0 to 100 is expected'],
    ['--mode', 'udp', 'http or tcp is expected'],
    ['--labels', 'nothing', 'key=value is expected'],
  ])('%s %s: %s', (flag, value, message) => {
    expect(resolve([flag, value]).problems).toEqual([{ parameter: flag, value, source: flag, message }]);
  });

  test('all of them come at once, with where each value came from', () => {
    const { problems } = resolve(['--upstrem', 'x', '--period', 'soon', '--depth'], { OUTRIGGER_MODE: 'udp' });
    expect(
      problems.map(({ parameter, source, message }) => `${parameter} ${source} ${message.split(';')[1] ?? ''}`),
    ).toEqual([
      '--upstrem undefined  did you mean --upstream?',
      '--depth undefined ',
      '--period --period ',
      '--mode OUTRIGGER_MODE ',
    ]);
  });

  test('a nested value in the file where one value is expected is refused', async () => {
    await using directory = await scratch();
    const file = directory.join('config.yaml');
    await writeFile(file, 'period: {a: {b: 1}}\ndepth: [1, 2]\n');
    const { problems } = await readParameters(parameters, ['--config', file]);
    expect(problems.map(({ parameter, message }) => `${parameter} ${message}`)).toEqual([
      '--period one value is expected',
      '--depth one value is expected',
    ]);
  });

  test('a misspelt variable is pointed out, a foreign one is left alone', () => {
    const { warnings, problems } = resolve([], { OUTRIGGER_PERIDO: '1s', OUTRIGGER_SERVICE_HOST: '10.0.0.1' });
    expect(problems).toEqual([]);
    expect(warnings).toEqual(['OUTRIGGER_PERIDO is unknown; did you mean OUTRIGGER_PERIOD?']);
  });
});

describe('secrets', () => {
  test('a secret is read from its file, again after a change, and shown nowhere', async () => {
    await using directory = await scratch();
    const file = directory.join('password');
    await writeFile(file, 'first-secret\n');
    const { values, effective } = resolve(['--password-file', file]);
    expect(values.password?.read()).toBe('first-secret');
    await writeFile(file, 'second-and-longer\n');
    await until(() => values.password?.read() === 'second-and-longer');
    expect(`${values.password} ${JSON.stringify(values)} ${JSON.stringify(effective)}`).not.toMatch(/first|second/);
  });

  test('it may come from a variable but has no flag of its own', () => {
    const { values, effective } = resolve([], { OUTRIGGER_PASSWORD: 'inline-secret' });
    expect(values.password?.read()).toBe('inline-secret');
    expect(JSON.stringify(effective)).not.toContain('inline-secret');
    expect(resolve(['--password', 'x']).problems).toMatchObject([{ parameter: '--password' }]);
  });

  test('a missing file is a problem that names the file', () => {
    expect(resolve(['--password-file', '/nonexistent/p']).problems).toMatchObject([
      { parameter: '--password-file', value: '/nonexistent/p', message: 'no such file' },
    ]);
  });

  test('credentials in a URL are redacted', () => {
    const { effective } = resolve(['--upstream', 'http://me:hu sh@host:1/']);
    expect(effective.upstream?.value).toBe('http://[redacted]@host:1/');
  });
});

test('the standard parameters are all right by themselves', () => {
  expect(resolveParameters(standardParameters(9410), { argv: [], env: {} }).problems).toEqual([]);
});
