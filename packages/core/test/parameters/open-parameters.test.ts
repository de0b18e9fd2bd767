import { rm, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { defineSidecar, duration, family, integer, nested, secret, text } from '../../src/index.ts';
import { openParameters } from '../../src/parameters/open-parameters.ts';
import * as z from '../../src/schema.ts';
import { type Scratch, scratch } from '../../src/testing/scratch.ts';
import { until } from '../../src/testing/until.ts';
import { makeVolume } from '../../src/testing/volume.ts';

const sinks = {
  none: { summary: 'Nowhere', parameters: {} },
  peer: {
    summary: 'A peer',
    parameters: {
      pace: integer({ default: '1', help: 'Pace', reloadable: true }),
      name: text({ default: 'a', help: 'Name' }),
    },
  },
};

/** @param check the sidecar's own: what it returns is wrong, or to be warned of from `warning: ` on */
const sampleWith = (check: (seen: { period: number; depth: number }) => string | undefined = () => undefined) =>
  defineSidecar({
    name: 'sample',
    summary: 'Sample',
    version: '1.0.0',
    parameters: {
      period: duration({ default: '1m', help: 'Period', reloadable: true }),
      depth: integer({ default: '1', help: 'Depth' }),
      password: secret({ optional: true, help: 'Password' }),
      sink: family(sinks, { default: ['none'], repeatable: true, help: 'Sink' }),
      rules: nested(z.strictObject({ limit: z.number() }), { optional: true, reloadable: true, help: 'Rules' }),
    },
    check({ parameters, problem, warning }) {
      const wrong = check(parameters);
      if (wrong?.startsWith('warning: ')) warning(['period', 'rules'], wrong.slice(9));
      else if (wrong) problem('period', wrong);
    },
    start: () => undefined,
  });

async function open(
  directory: Scratch,
  config: string,
  { argv = [] as string[], check = undefined as Parameters<typeof sampleWith>[0] } = {},
) {
  const file = directory.join('config.yaml');
  const write = (content: string) => writeFile(file, content);
  await write(config);
  const parameters = await openParameters(sampleWith(check), { argv: ['--config', file, ...argv], env: {} });
  expect(parameters.problems).toEqual([]);
  return { parameters, write, file };
}

test('a reload says what changed, from what to what, and puts it in place', async () => {
  await using directory = await scratch();
  const { parameters, write, file } = await open(directory, 'period: 1m\n');
  await write('# faster\nperiod: 30s\n');
  expect(await parameters.reload()).toEqual({
    changed: [{ name: '--period', key: 'period', from: '1m', to: '30s', source: `${file}:2:1` }],
    needRestart: [],
    problems: [],
    warnings: [],
  });
  expect(parameters.values.period).toBe(30_000);
  expect(parameters.effective.period).toMatchObject({ value: '30s', source: `${file}:2:1` });
});

test('what is only written or placed in another way is no change', async () => {
  await using directory = await scratch();
  const { parameters, write, file } = await open(directory, 'period: 1m\ndepth: 7\n');
  await write('# one more line\nperiod: 60s\ndepth: +7\n');
  expect(await parameters.reload()).toMatchObject({ changed: [], needRestart: [] });
  expect(parameters.effective.depth?.source).toBe(`${file}:3:1`);
});

test('what needs a restart keeps its value, and is named again until it gets one', async () => {
  await using directory = await scratch();
  const { parameters, write } = await open(directory, 'depth: 1\n');
  await write('depth: 2\nperiod: 5s\n');
  for (const changed of [['--period'], []]) {
    const reloaded = await parameters.reload();
    expect(reloaded.needRestart).toMatchObject([{ name: '--depth', from: '1', to: '2' }]);
    expect(reloaded.changed.map(({ name }) => name)).toEqual(changed);
  }
  expect(parameters.values).toMatchObject({ depth: 1, period: 5000 });
  expect(parameters.effective.depth?.value).toBe('1');
});

test('one wrong value refuses them all, and the reason is kept until a reload is right', async () => {
  await using directory = await scratch();
  const { parameters, write, file } = await open(directory, 'period: 1m\n');
  await write('period: 2m\nrules: { limit: many }\n');
  const reloaded = await parameters.reload();
  expect(reloaded.changed).toEqual([]);
  expect(reloaded.problems).toMatchObject([{ parameter: '--rules-file', value: 'many', source: `${file}:2:17` }]);
  expect(parameters.values.period).toBe(60_000);
  expect(parameters.refused).toEqual(reloaded.problems);
  await write('period: 2m\n');
  await parameters.reload();
  expect(parameters.refused).toEqual([]);
  expect(parameters.values.period).toBe(120_000);
});

test("the sidecar's own check sees the new values before they are taken, and may refuse them", async () => {
  await using directory = await scratch();
  const seen: number[] = [];
  const check = ({ period }: { period: number }) => {
    seen.push(period);
    return period > 60_000 ? 'is too long for this depth' : undefined;
  };
  const { parameters, write, file } = await open(directory, 'period: 1m\n', { check });
  await write('period: 2m\n');
  expect((await parameters.reload()).problems).toEqual([
    { parameter: '--period', value: '2m', source: `${file}:1:1`, message: 'is too long for this depth' },
  ]);
  expect(seen).toEqual([120_000]);
  expect(parameters.values.period).toBe(60_000);
});

test("what the sidecar's own check warns of is told at the start and at each reload, and keeps nothing back", async () => {
  await using directory = await scratch();
  const check = ({ period }: { period: number }) => (period > 60_000 ? 'warning: long for this depth' : undefined);
  const { parameters, write } = await open(directory, 'period: 2m\n', { check });
  await parameters.check();
  expect(parameters).toMatchObject({ problems: [], warnings: ['--period, --rules-file: long for this depth'] });
  await write('period: 3m\n');
  expect(await parameters.reload()).toMatchObject({
    changed: [{ name: '--period' }],
    warnings: ['--period, --rules-file: long for this depth'],
  });
  await write('period: 1m\n');
  expect(await parameters.reload()).toMatchObject({ changed: [{ name: '--period' }], warnings: [] });
});

test('what would be in force until the restart is checked as well', async () => {
  await using directory = await scratch();
  const check = ({ period, depth }: { period: number; depth: number }) =>
    period > depth * 60_000 ? 'is too long for this depth' : undefined;
  const { parameters, write } = await open(directory, 'period: 1m\ndepth: 1\n', { check });
  await write('period: 5m\ndepth: 5\n');
  expect((await parameters.reload()).problems).toMatchObject([{ message: 'is too long for this depth' }]);
  expect(parameters.values).toMatchObject({ period: 60_000, depth: 1 });
});

test('a check that throws is a problem, and later reloads go on', async () => {
  await using directory = await scratch();
  let broken = false;
  const check = () => {
    if (broken) throw new Error('out of order');
    return undefined;
  };
  const { parameters, write } = await open(directory, '', { check });
  broken = true;
  expect((await parameters.reload()).problems).toEqual([{ parameter: 'reload', message: 'out of order' }]);
  broken = false;
  await write('period: 3s\n');
  expect((await parameters.reload()).changed).toHaveLength(1);
});

test("what a family's member reads changes in place, for whoever holds the member", async () => {
  await using directory = await scratch();
  const { parameters, write } = await open(directory, 'sink: peer\n');
  const [member] = parameters.values.sink as { parameters: Record<string, unknown> }[];
  await write('sink: peer\nsinkPeerPace: 2\nsinkPeerName: b\n');
  const reloaded = await parameters.reload();
  expect(reloaded.changed).toMatchObject([{ name: '--sink-peer-pace', from: '1', to: '2' }]);
  expect(reloaded.needRestart).toMatchObject([{ name: '--sink-peer-name', from: 'a', to: 'b' }]);
  expect(member!.parameters).toEqual({ pace: 2, name: 'a' });
});

test('a structure whose file changed is a change; one that moved knows its new places', async () => {
  await using directory = await scratch();
  const rules = directory.join('rules.yaml');
  await writeFile(rules, 'limit: 1\n');
  const { parameters } = await open(directory, '', { argv: ['--rules-file', rules] });
  await writeFile(rules, '# more\nlimit: 1\n');
  expect((await parameters.reload()).changed).toEqual([]);
  await writeFile(rules, 'limit: 2\n');
  const source = '--rules-file';
  expect((await parameters.reload()).changed).toEqual([{ name: source, key: 'rules', from: rules, to: rules, source }]);
  expect(parameters.values.rules).toEqual({ limit: 2 });
});

test('a secret whose file changed is named, without what is in it', async () => {
  await using directory = await scratch();
  const password = directory.join('password');
  await writeFile(password, 'first-secret\n');
  const { parameters } = await open(directory, '', { argv: ['--password-file', password] });
  await writeFile(password, 'second-secret\n');
  const reloaded = await until(async () => {
    const each = await parameters.reload();
    return each.changed.length > 0 && each;
  });
  expect(reloaded.changed).toMatchObject([
    { name: '--password-file', from: `[file ${password}]`, to: `[file ${password}]` },
  ]);
  expect(reloaded.needRestart).toEqual([]);
  expect(JSON.stringify([reloaded, parameters.effective])).not.toMatch(/first-secret|second-secret/);
  const held = parameters.values.password as { read(): string };
  await until(() => held.read() === 'second-secret');
});

test('a reload in the middle of a rotation goes on with the secret that still serves', async () => {
  await using directory = await scratch();
  const password = directory.join('password');
  await writeFile(password, 'first-secret\n');
  const { parameters, write } = await open(directory, '', { argv: ['--password-file', password] });
  await rm(password);
  await write('period: 3s\n');
  expect(await parameters.reload()).toMatchObject({ changed: [{ name: '--period' }], problems: [] });
});

test('a file that is named by what was refused is one of files(), since mending it may be enough', async () => {
  await using directory = await scratch();
  const { parameters, write, file } = await open(directory, '');
  const rules = directory.join('rules.yaml');
  await write(`rulesFile: ${rules}\n`);
  expect((await parameters.reload()).problems).toMatchObject([{ parameter: '--rules-file', message: 'no such file' }]);
  expect(parameters.files()).toEqual([file, rules]);
  await writeFile(rules, 'limit: 5\n');
  expect((await parameters.reload()).changed).toMatchObject([{ name: '--rules-file', from: undefined, to: rules }]);
});

test('reloads come one after the other, each with its own answer', async () => {
  await using directory = await scratch();
  const { parameters, write } = await open(directory, 'period: 1s\n');
  await write('period: 2s\n');
  const [first, second] = await Promise.all([parameters.reload(), parameters.reload()]);
  expect(first!.changed).toMatchObject([{ from: '1s', to: '2s' }]);
  expect(second!.changed).toEqual([]);
});

test('files() names what is read: the config file, structures and the directory of the annotations, no secret', async () => {
  await using directory = await scratch();
  await writeFile(directory.join('annotations'), '');
  await writeFile(directory.join('rules.yaml'), 'limit: 1\n');
  await writeFile(directory.join('password'), 'x\n');
  const argv = ['--pod-info-directory', directory.path, '--password-file', directory.join('password')];
  const { parameters, write, file } = await open(directory, '', { argv });
  expect(parameters.files()).toEqual([file, directory.path]);
  await write(`rulesFile: ${directory.join('rules.yaml')}\n`);
  await parameters.reload();
  expect(parameters.files()).toEqual([file, directory.path, directory.join('rules.yaml')]);
});

test('annotations that the kubelet refreshes are read again', async () => {
  await using directory = await scratch();
  const volume = await makeVolume(directory.join('info'), { annotations: 'outrigger.dev/sample.period="5s"' });
  const { parameters } = await open(directory, 'period: 1h\n', { argv: ['--pod-info-directory', volume.path] });
  expect(parameters.values.period).toBe(5000);
  await volume.swap({ annotations: 'outrigger.dev/sample.period="7s"' });
  const source = 'annotation outrigger.dev/sample.period';
  expect((await parameters.reload()).changed).toEqual([
    { name: '--period', key: 'period', from: '5s', to: '7s', source },
  ]);
});
