import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ProgramError, passedOn, runProgram } from '../src/program.ts';
import { command, parseCommand, program, programProblem } from '../src/program-parameter.ts';
import { scratch } from '../src/testing/scratch.ts';
import { cannotRun } from '../src/testing/start-peer.ts';
import { until } from '../src/testing/until.ts';

const env = { PATH: process.env.PATH! };
const never = new AbortController().signal;
const sh = (script: string, ...args: string[]) => ['sh', '-c', script, 'sh', ...args];
const failureOf = (running: Promise<string>) =>
  running.then(
    (output) => expect.fail(`it ended well and said ${output}`),
    (error: ProgramError) => error,
  );

test('what it says on both streams comes back', async () => {
  const command = sh('echo one; echo two >&2; echo three');
  const said = await runProgram({ command, env, signal: never });
  // Of two pipes nobody can tell which was written to first.
  expect(['one\ntwo\nthree\n', 'one\nthree\ntwo\n', 'two\none\nthree\n']).toContain(said);
});

test('arguments are passed as they are, without a shell', async () => {
  const words = ['a b', '$(echo owned)', `'"`, '', '-x', '*'];
  expect(await runProgram({ command: ['printf', '%s|', ...words], env, signal: never })).toBe(`${words.join('|')}|`);
});

test('it has the environment it is given, an empty input and its own directory', async () => {
  const command = sh('env; cat; pwd');
  const said = await runProgram({ command, env: { ...env, ONLY: 'this' }, directory: '/usr', signal: never });
  const names = said
    .trim()
    .split('\n')
    .map((line) => line.split('=')[0]);
  expect(names.filter((name) => !['PWD', 'SHLVL', '_', 'OLDPWD'].includes(name!)).sort()).toEqual([
    '/usr',
    'ONLY',
    'PATH',
  ]);
});

test('only what programs need is passed on of our environment, and what is named', () => {
  process.env.TEST_PASSED = 'yes';
  process.env.TEST_SECRET = 'hunter2';
  expect(passedOn(['TEST_PASSED', 'TEST_ABSENT'])).toMatchObject({ PATH: process.env.PATH, TEST_PASSED: 'yes' });
  expect(Object.keys(passedOn())).not.toContain('TEST_SECRET');
  expect(Object.keys(passedOn(['TEST_ABSENT']))).not.toContain('TEST_ABSENT');
});

test('a failure has the exit code, what was said last, and the whole output', async () => {
  const error = await failureOf(
    runProgram({ command: sh('echo one; sleep 0.1; echo why >&2; exit 3'), env, signal: never }),
  );
  expect(error).toMatchObject({
    message: 'sh ended with exit code 3: why',
    exitCode: 3,
    output: expect.stringContaining('one\n'),
  });
});

test('a program that is ended by a signal says which', async () => {
  const error = await failureOf(runProgram({ command: sh('kill -SEGV $$'), env, signal: never }));
  expect(error).toMatchObject({ message: 'sh was ended by SIGSEGV', signal: 'SIGSEGV', exitCode: undefined });
});

test('what cannot be started says why', async () => {
  await using directory = await scratch();
  await writeFile(directory.join('data'), 'no program');
  const why = async (program: string, place?: string) => {
    const running = runProgram({ command: [program], env, signal: never, ...(place && { directory: place }) });
    return (await failureOf(running)).message;
  };
  expect(await why('no-such-program')).toBe('no-such-program cannot be started: no such program');
  expect(await why('ls', '/no/such/place')).toBe('ls cannot be started: no directory "/no/such/place"');
  expect(await why(directory.join('data'))).toContain('cannot be started: no permission to run it');
  const long = runProgram({ command: ['echo', 'x'.repeat(3_000_000)], env, signal: never });
  expect((await failureOf(long)).message).toContain('echo cannot be started: spawn E2BIG');
});

test('of an endless output the end is kept, and the program is not held up', async () => {
  const command = sh('head -c 200000000 /dev/zero | tr "\\0" x; echo; echo the end');
  const before = process.memoryUsage().rss;
  const said = await runProgram({ command, env, signal: never, outputLimit: 100 });
  expect(said).toMatch(/^\(199999909 bytes before\) x+\nthe end\n$/);
  expect(said.length).toBeLessThan(150);
  expect(process.memoryUsage().rss - before).toBeLessThan(120_000_000);
});

/** Starts two generations of children that all ignore SIGTERM, and notes their pids. */
const stubborn = `
trap '' TERM
sh -c 'trap "" TERM; sleep 1000 & echo $! >> "$0"; echo $$ >> "$0"; wait; sleep 1000' "$1" &
echo $$ >> "$1"
wait
sleep 1000
`;

test('at an abort everything it started is ended, even what ignores SIGTERM', async () => {
  await using directory = await scratch();
  const file = directory.join('pids');
  const stopping = new AbortController();
  const running = runProgram({ command: sh(stubborn, file), env, signal: stopping.signal, grace: 200 });
  const rejected = expect(running).rejects.toThrow('told to stop');
  const pids = await until(() => pidsIn(file, 3), { what: 'three processes' });
  const begun = performance.now();
  stopping.abort(new Error('told to stop'));
  await rejected;
  expect(performance.now() - begun).toBeGreaterThan(190);
  await until(() => !pids.some(alive), { what: 'all of them to be gone' });
});

test('what it leaves behind when it ends is ended', async () => {
  await using directory = await scratch();
  const file = directory.join('pids');
  const command = sh('sleep 1000 & echo $! > "$1"; echo done', file);
  const begun = performance.now();
  expect(await runProgram({ command, env, signal: never })).toBe('done\n');
  expect(performance.now() - begun).toBeLessThan(5_000);
  const [pid] = pidsIn(file, 1)!;
  await until(() => !alive(pid!), { what: 'the child to be gone' });
});

test('a daemon that holds the output open does not hold up the run', async () => {
  await using directory = await scratch();
  const command = sh('setsid sleep 30 & echo $! > "$1"', directory.join('pid'));
  const begun = performance.now();
  await runProgram({ command, env, signal: never });
  expect(performance.now() - begun).toBeLessThan(10_000);
  process.kill(Number(await readFile(directory.join('pid'), 'utf8')), 'SIGKILL');
});

test('it is ended with this process', async () => {
  await using directory = await scratch();
  const file = directory.join('pids');
  const script = `
    import { runProgram } from ${JSON.stringify(import.meta.resolve('../src/program.ts'))};
    import { existsSync } from 'node:fs';
    const [stubborn, file] = process.argv.slice(1);
    const signal = new AbortController().signal;
    runProgram({ command: ['sh', '-c', stubborn, 'sh', file], env: { PATH: process.env.PATH }, signal });
    setInterval(() => existsSync(file) && process.exit(7), 200);
  `;
  const args = ['--input-type=module', '-e', script, '--', stubborn, file];
  expect(spawnSync(process.execPath, args, { timeout: 20_000 }).status).toBe(7);
  const pids = pidsIn(file, 1)!;
  await until(() => !pids.some(alive), { what: 'all of them to be gone' });
});

const asFirst = ['--map-root-user', '--fork', '--pid', '--mount-proc'];
const reason = cannotRun('unshare', ...asFirst, 'true');

test.skipIf(reason)(
  `as process 1 without an init it says once that dead processes gather${reason && ` (${reason})`}`,
  () => {
    const main = fileURLToPath(import.meta.resolve('./fixtures/run-as-first.ts'));
    const command = [...asFirst, process.execPath, main];
    const { stdout, stderr, status } = spawnSync('unshare', command, { encoding: 'utf8', timeout: 30_000 });
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'pid 1\n' });
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([{ code: 'PROGRAM_ZOMBIES', count: 1, hint: expect.stringContaining('tini') }]);
  },
);

test('a parameter that names a program is checked without running it', async () => {
  await using directory = await scratch();
  await writeFile(directory.join('tool'), '#!/bin/sh\n', { mode: 0o755 });
  expect(programProblem(directory.join('tool'))).toBeUndefined();
  expect(programProblem('tool', `/nowhere:${directory.path}`)).toBeUndefined();
  expect(programProblem('tool', '/nowhere')).toBe('no such program; install it or name it');
  // A directory can be entered, not run.
  expect(programProblem(directory.path)).toBe('no such program, or no permission to run it');
  expect(programProblem('./beside-the-work')).toBeUndefined();
  expect(program({ help: 'Under test' }).probe?.('no-such-program')).toContain('no such program');
});

test.for([
  ['tool', ['tool']],
  ['  /bin/tool  -v\t--x=1 ', ['/bin/tool', '-v', '--x=1']],
  [`sh -c 'echo "$HOME" \\'`, ['sh', '-c', 'echo "$HOME" \\']],
  [`tool "two words" "a \\"quote\\" and \\n"`, ['tool', 'two words', 'a "quote" and \\n']],
  [`tool it\\'s a\\ b`, ['tool', `it's`, 'a b']],
  [`tool pre'fix'"es" '' ""`, ['tool', 'prefixes', '', '']],
  ['tool $HOME; rm *', ['tool', '$HOME;', 'rm', '*']],
] as const)('the command %s has the words %j', ([written, words]) => {
  expect(parseCommand(written)).toEqual(words);
});

test.for(['', ' ', `tool 'open`, 'tool "open', 'tool \\', `''`])('%j is no command', (written) => {
  expect(() => parseCommand(written)).toThrow('a program and its arguments are expected');
});

test('words that are quoted come back as they were', () => {
  const quoted = fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }).filter(([first]) => first !== '');
  fc.assert(
    fc.property(quoted, fc.constantFrom(' ', '\n', '  \t'), (words, space) => {
      const written = words.map((word) => `'${word.replaceAll(`'`, `'\\''`)}'`).join(space);
      expect(parseCommand(written)).toEqual(words);
    }),
  );
});

test('a command whose program is not there is a wrong parameter', () => {
  const { parse, probe } = command({ help: 'Under test' });
  expect(probe?.(parse('no-such-program --with x'))).toContain('no such program');
  expect(probe?.(parse('sh -c true'))).toBeUndefined();
});

function pidsIn(file: string, count: number): number[] | undefined {
  try {
    const pids = readFileSync(file, 'utf8').trim().split('\n').map(Number);
    return pids.length >= count ? pids : undefined;
  } catch {
    return undefined;
  }
}

/** A dead process that nobody has waited for yet is not alive. */
function alive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
