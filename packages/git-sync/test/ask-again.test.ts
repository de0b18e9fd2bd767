import { readFile } from 'node:fs/promises';
import { scratch, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { AskAgain } from '../src/ask-again.ts';

const env = { PATH: process.env.PATH! };
const never = new AbortController().signal;
const sh = (script: string) => ({ command: ['sh', '-c', script], env });

test('the answer is what the command says, each time anew', async () => {
  await using directory = await scratch();
  await using again = new AskAgain();
  const count = sh(`echo x >> ${directory.join('count')}; wc -l < ${directory.join('count')}; echo '= 7'`);
  expect(await again.ask(count, never)).toBe('1\n= 7\n');
  expect(await again.ask(count, never)).toBe('2\n= 7\n');
});

test('one shell is kept while the question and its environment stay the same', async () => {
  await using again = new AskAgain();
  const parent = sh('echo $PPID');
  const first = await again.ask(parent, never);
  expect(await again.ask(parent, never)).toBe(first);
  expect(await again.ask({ ...parent, env: { ...env, PASSWORD: 'new' } }, never)).not.toBe(first);
});

test('a failure has the status and all that was said', async () => {
  await using again = new AskAgain();
  await expect(again.ask(sh('echo out; echo wrong >&2; exit 3'), never)).rejects.toMatchObject({
    message: 'out\nwrong\n',
    status: 3,
  });
  await expect(again.ask({ command: ['/no/such/program'], env }, never)).rejects.toMatchObject({ status: 127 });
});

test('words of the question are words of the command and nothing else', async () => {
  await using again = new AskAgain();
  const command = ['printf', '%s|', 'a b', '$(echo owned)', '; echo owned', `'"`, '-x', ''];
  expect(await again.ask({ command, env }, never)).toBe(`a b|$(echo owned)|; echo owned|'"|-x||`);
});

test('an abort ends the command with its children, and the next question is answered', async () => {
  await using directory = await scratch();
  await using again = new AskAgain();
  const pid = directory.join('pid');
  const stopping = new AbortController();
  const hanging = again.ask(sh(`sleep 1000 & echo $! > ${pid}; wait`), stopping.signal);
  const sleeping = Number(await until(() => readFile(pid, 'utf8').catch(() => '')));
  stopping.abort(new Error('told to stop'));
  await expect(hanging).rejects.toThrow('told to stop');
  await until(() => !alive(sleeping), { what: 'the child to be gone' });
  expect(await again.ask(sh('echo well'), never)).toBe('well\n');
});

test('a shell that somebody kills fails one question and not the next', async () => {
  await using again = new AskAgain();
  const suicide = sh('kill -9 $PPID; sleep 10');
  await expect(again.ask(suicide, never)).rejects.toThrow('the shell ended');
  expect(await again.ask(sh('echo well'), never)).toBe('well\n');
});

test('without a shell it fails instead of waiting', async () => {
  await using again = new AskAgain();
  await expect(again.ask({ command: ['git'], env: { PATH: '/nowhere' } }, never)).rejects.toThrow('ENOENT');
});

test('an endless answer is not heard out', async () => {
  await using again = new AskAgain();
  await expect(again.ask(sh('yes'), never)).rejects.toThrow('the answer is too long');
});

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
