// Words of a sidecar's own: `greeter greet --whom Ann`.

import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { renderDocuments } from '../src/documents.ts';
import { defineSidecar, integer, text } from '../src/index.ts';
import { scratch } from '../src/testing/scratch.ts';
import { startPeer } from '../src/testing/start-peer.ts';

const program = new URL('fixtures/greeter.ts', import.meta.url).pathname;

async function say(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  await using peer = await startPeer(process.execPath, [program, ...words], { env: { ...process.env, ...env } });
  const { code } = await peer.exited;
  return { code, stdout: peer.stdout, stderr: peer.stderr };
}

test('a word runs with its own parameters and ends with its own exit code', async () => {
  const twice = await say(['greet', '--whom', 'Ann', '--times=2']);
  expect(twice).toEqual({ code: 0, stdout: 'Hello, Ann\nHello, Ann\n', stderr: '' });
  expect(await say(['greet', '--whom', 'stranger'])).toEqual({ code: 3, stdout: 'Hello, stranger\n', stderr: '' });
});

test('it reads a secret from its file, and nothing from the environment of the running sidecar', async () => {
  await using directory = await scratch();
  await writeFile(directory.join('password'), 'friend\n');
  const flags = ['greet', '--whom', 'Ann', '--password-file', directory.join('password')];
  expect((await say(flags, { OUTRIGGER_TIMES: '7', OUTRIGGER_CONFIG: '/nonexistent' })).stdout).toBe(
    'Hello, Ann friend\n',
  );
});

test('what the sidecar has by the same name is read from where the sidecar reads it, and nothing else is', async () => {
  await using directory = await scratch();
  const env = { OUTRIGGER_CONFIG: directory.join('config.yaml'), OUTRIGGER_TIMES: '3' };
  await writeFile(env.OUTRIGGER_CONFIG, 'audience: those in the file\nmood: merry\n');
  expect((await say(['attend'], env)).stdout).toBe('those in the file\n');
  await writeFile(directory.join('annotations'), 'outrigger.dev/greeter.audience="those of the Pod"\n');
  const noted = { ...env, OUTRIGGER_POD_INFO_DIRECTORY: directory.path };
  expect((await say(['attend'], noted)).stdout).toBe('those of the Pod\n');
  const said = { ...noted, OUTRIGGER_AUDIENCE: 'those around' };
  expect((await say(['attend', '--times', '2'], said)).stdout).toBe('those around\nthose around\n');
  expect((await say(['attend', '--audience', 'you'], said)).stdout).toBe('you\n');
  await writeFile(env.OUTRIGGER_CONFIG, 'times: 2\n');
  expect(await say(['attend', '--audience', 'you'], env)).toMatchObject({
    code: 64,
    stderr: expect.stringMatching(/^greeter attend: 1 parameter is wrong\n {2}times +\(\S+config\.yaml:1:1\): unknown/),
  });
});

test('all that is wrong is listed at once with exit code 64', async () => {
  expect(await say(['greet', '--times', '0', '--wohm', 'Ann', 'loudly', '--check'])).toEqual({
    code: 64,
    stdout: '',
    stderr: `greeter greet: 5 parameters are wrong
  --wohm   unknown; did you mean --whom?
  --whom   is required: whom to greet, such as Ann
  --times  0 (--times): a whole number of at least 1 is expected
  --check  unknown; greeter greet --help lists parameters
  loudly   unknown; greeter greet --help lists parameters
`,
  });
});

test('one that throws is one line with its causes and exit code 1', async () => {
  const stderr = 'greeter greet failed: nobody is there: all have left\n';
  expect(await say(['greet', '--whom', 'nobody'])).toEqual({ code: 1, stdout: '', stderr });
});

test('one that finds a value wrong names its parameter, with exit code 64', async () => {
  const stderr = 'greeter greet: 1 parameter is wrong\n  --whom  ghost (--whom): is not here any more\n';
  expect(await say(['greet', '--whom', 'ghost'])).toEqual({ code: 64, stdout: '', stderr });
});

test('--help names the words, and the --help of a word its parameters', async () => {
  const all = await say(['--help']);
  expect(all.stdout).toMatch(/^Words:\n {2}attend .*\n {2}greet +Greets once \(greet --help\)\n {2}prestop +/m);
  expect(await say(['greet', '--help'])).toEqual({
    code: 0,
    stderr: '',
    stdout: `Usage: greeter greet [parameters]

Greets once.

Parameters:
  --whom <text>           Whom to greet (required)
  --times <integer>       How often (default 1)
  --password-file <path>  Said with it

Print and exit:
  --help                  Print this
`,
  });
});

test.each([
  [['gret'], '"gret" is unknown; did you mean greet?\n'],
  [['--log-level', 'debug', 'greet'], 'greet comes first: greeter greet --help lists its parameters\n'],
  [['toString'], '"toString" is unknown; --help lists parameters and words\n'],
])('%j is refused with exit code 64', async (words, stderr) => {
  expect(await say(words)).toEqual({ code: 64, stdout: '', stderr });
});

test('the README lists words where it asks for them', () => {
  const sidecar = defineSidecar({
    name: 'greeter',
    summary: 'Greets',
    version: '1.0.0',
    parameters: {},
    words: {
      greet: { summary: 'Greets once', parameters: { whom: text({ help: 'Whom | who' }) }, run: () => 0 },
      count: { summary: 'Counts', parameters: { from: integer({ default: '1', help: 'From' }) }, run: () => 0 },
    },
    start: () => undefined,
  });
  const readme = '# greeter\n\n<!-- generated:words -->\n\nold\n\n<!-- /generated -->\n\nThe end.\n';
  expect(renderDocuments(sidecar, readme)['README.md']).toBe(`# greeter

<!-- generated:words -->

\`greet\`: Greets once.

| Flag | Value | Default | Meaning |
| --- | --- | --- | --- |
| \`--whom\` | text | required | Whom \\| who |

\`count\`: Counts.

| Flag | Value | Default | Meaning |
| --- | --- | --- | --- |
| \`--from\` | integer | \`1\` | From |

<!-- /generated -->

The end.
`);
});
