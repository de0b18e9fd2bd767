import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { scratch, until } from '@outrigger/core/testing';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { expect, test } from 'vitest';
import { rules } from '../../src/conformance/rules/index.ts';
import { outrigger, startOutrigger } from '../outrigger.ts';

const plain = fileURLToPath(new URL('fixtures/plain.mjs', import.meta.url));
const node = [process.execPath, plain];

test('every rule has a stable id of its own, a sentence, a reason and a section that is in the README', async () => {
  const ids = rules.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const readme = await readFile(new URL('../../../core/README.md', import.meta.url), 'utf8');
  const sections = [...readme.matchAll(/^##+ (.*)$/gm)].map(([, text]) => text!.toLowerCase().replace(/[^\w]+/g, '-'));
  for (const { id, title, reason, section } of rules) {
    expect(id).toMatch(/^(life|container|parameters|api|load|log)\/[a-z0-9]+(-[a-z0-9]+)*$/);
    for (const text of [title, reason]) expect(text).toMatch(/^\S.{15,}[^.\s]$/);
    expect(sections, id).toContain(section);
  }
});

test("the rules are those of this package's README", async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const listed = [...readme.matchAll(/^\| `([a-z]+\/[a-z0-9-]+)` \| (.*) \|$/gm)].map(([, id, title]) => [id, title]);
  expect(listed).toEqual(rules.map(({ id, title }) => [id, title]));
});

test('--list prints the rules and starts nothing', async () => {
  const { code, stdout } = await outrigger('conformance', '--list', '--rule', 'life/sig*');
  expect(code).toBe(0);
  expect(stdout.split('\n')[0]).toMatch(/^life\/sigterm +error +SIGTERM stops it with exit code 0/);
  expect(
    stdout
      .trim()
      .split('\n')
      .every((line) => line.startsWith('life/sig')),
  ).toBe(true);
});

test('JUnit is XML with a case for each rule, and what failed is in it', async () => {
  const flags = ['--format=junit', '--rule=api/self', '--rule=log/json-lines', '--rule=container/full-disk'];
  const { code, stdout } = await outrigger('conformance', ...flags, '--', ...node, '--break=text-log');
  expect(code).toBe(1);
  expect(XMLValidator.validate(stdout)).toBe(true);
  const { testsuites } = new XMLParser({ ignoreAttributes: false }).parse(stdout);
  const suite = testsuites.testsuite;
  expect(suite).toMatchObject({ '@_tests': '3', '@_failures': '1', '@_skipped': '1' });
  const [skipped, passed, failed] = suite.testcase;
  expect(skipped.skipped['@_message']).toContain('{state}');
  expect(passed).toMatchObject({ '@_classname': 'api', '@_name': 'api/self' });
  expect(failed.failure['@_message']).toContain('one JSON object a line');
  expect(failed.failure['#text']).toContain('info: Serving');
});

test('a failure says what was expected, what was seen, why it matters, and what the sidecar said last', async () => {
  const { code, stdout } = await outrigger(
    'conformance',
    '--rule=life/sighup',
    '--',
    ...node,
    '--break=dies-of-sighup',
  );
  expect(code).toBe(1);
  expect(stdout).toMatch(/^failed +life\/sighup/);
  expect(stdout).toMatch(/expected +a sidecar that goes on running\n +seen +it has ended with SIGHUP/);
  expect(stdout).toMatch(/matters +SIGHUP means.*\n +read +packages\/core\/README\.md#life\n +stderr +\{.*"Serving"/);
});

test.for([
  [['--', '/no/such/program'], '"/no/such/program": no such program, or no permission to run it'],
  [['--', './nothing-here'], '"./nothing-here": no such program, or no permission to run it'],
  [['--', 'nothing-of-this-name'], '"nothing-of-this-name": no such program; install it or name it'],
  [[], 'outrigger conformance expects a command, such as -- node src/main.ts'],
  [['--rule', 'life/sigtrem', '--', 'true'], '--rule: no rule is named life/sigtrem; did you mean life/sigterm?'],
  [['--deadline', 'soon', '--', 'true'], '--deadline: '],
  [['--file', 'a=/no/such/file', '--', 'true'], '--file: /no/such/file: no such file'],
  [['--file', '../a=/', '--', 'true'], '--file: "../a" is not a name in the scratch directory'],
  [['--env', 'NAME', '--', 'true'], '--env: name=value is expected, not "NAME"'],
  [['--traffic', 'localhost', '--', 'true'], '--traffic: a URL with http, https or tcp is expected, not "localhost"'],
] as const)('%j exits 64 and says why', async ([args, message]) => {
  const { code, stdout, stderr } = await outrigger('conformance', ...args);
  expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
  expect(stderr).toContain(`outrigger: ${message}`);
});

test.for(['life/starts', 'life/sigterm'])(
  'a program that cannot be started for want of its interpreter fails %s',
  async (rule) => {
    await using directory = await scratch();
    const file = directory.join('sidecar');
    await writeFile(file, '#!/no/such/interpreter\n', { mode: 0o755 });
    const { code, stdout } = await outrigger('conformance', `--rule=${rule}`, '--', file);
    expect(code).toBe(1);
    expect(stdout).toMatch(/expected +a command that can be started\n +seen +spawn .*ENOENT/);
    expect(stdout).toContain('0 passed, 1 failed, 0 skipped');
  },
);

test('a --traffic where nobody answers fails, although it is the same before prestop and after', async () => {
  const flags = ['--rule=life/prestop-traffic', '--deadline=1s', '--traffic=tcp://127.0.0.1:{port:nobody}'];
  const { code, stdout } = await outrigger('conformance', ...flags, '--', ...node);
  expect(code).toBe(1);
  expect(stdout).toMatch(/expected +tcp:\S+ to answer within 1 s\n +seen +ECONNREFUSED/);
});

test('flags behind the command are its own', async () => {
  const { code, stdout } = await outrigger(
    'conformance',
    '--rule=life/starts',
    ...node,
    '--drain-timeout',
    '--log-level',
  );
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('1 passed') });
});

test('Ctrl-C ends everything that it had started, at once', async () => {
  await using directory = await scratch();
  await using command = startOutrigger(['conformance', '--', ...node], { directory });
  // From the first one on, several are put to the test at the same time.
  await command.said(/^passed/);
  const scratches = () => readdirSync(directory.join('tmp'));
  await until(() => scratches().length > 1, { what: 'several rules' });
  command.kill('SIGINT');
  expect(await command.exited).toEqual({ code: 130, signal: null });
  expect(command.stderr).toContain('interrupted');
  expect(command.processes()).toEqual([]);
  expect(scratches()).toEqual([]);
});

test('a container engine gets the surroundings as flags, and its containers are removed', async () => {
  await using directory = await scratch();
  const engine = directory.join('podman');
  const log = directory.join('log');
  // Stands where podman would: notes what it was asked for, and runs the image's program.
  const script = `#!/bin/sh
echo "$@" >>${log}
[ "$1" = run ] || exit 0
for word in "$@"; do case "$word" in --env=*) export "\${word#--env=}" ;; esac; done
exec ${process.execPath} ${plain}
`;
  await writeFile(engine, script, { mode: 0o755 });
  const wanted = [
    'life/starts',
    'life/starts-alone',
    'life/no-child-left',
    'container/read-only-root',
    'container/unknown-user',
  ];
  const flags = ['--format=json', '--env=COLOUR=red', ...wanted.map((id) => `--rule=${id}`)];
  const { stdout } = await outrigger(
    'conformance',
    ...flags,
    '--',
    engine,
    'run',
    '--pull=never',
    'image',
    '--state={state}',
  );
  const { rules: results } = JSON.parse(stdout) as { rules: { id: string; outcome: string }[] };
  expect(results.map(({ outcome }) => outcome)).toEqual(['passed', 'skipped', 'skipped', 'passed', 'passed']);
  const asked = (await readFile(log, 'utf8')).split('\n');
  expect(
    asked.some((line) =>
      /^run --rm --network=host .*--env=COLOUR=red.* --read-only --tmpfs=\/tmp --pull=never image --state=\S+\/state$/.test(
        line,
      ),
    ),
  ).toBe(true);
  expect(asked.some((line) => line.includes(' --user=54321:54321 '))).toBe(true);
  expect(asked.filter((line) => line.startsWith('rm --force outrigger-conformance-')).length).toBeGreaterThanOrEqual(3);
});
