// The same command again and again, started by a shell that is kept: to fork this process, with the memory that Node
// has, costs about as much CPU as all that git does for an answer; to fork a shell costs next to nothing.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { endGroup, track } from '@outrigger/core';

export type Question = {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

/** The command failed; the message is all it said. */
export class AskError extends Error {
  readonly status: number;

  constructor(said: string, status: number) {
    super(said);
    this.name = 'AskError';
    this.status = status;
  }
}

// One line in; out comes what the command says, then a line with a word that it cannot know and its exit status.
const script = `while read -r _; do "$@" 2>&1; printf '\\n%s %s\\n' "$0" "$?"; done`;
// An answer has a few lines; a remote that has more to say is not heard out.
const mostCharacters = 1_000_000;

type Shell = {
  readonly child: ChildProcessWithoutNullStreams;
  readonly key: string;
  readonly end: RegExp;
  said: string;
  answer: PromiseWithResolvers<string> | undefined;
  /** Why it gives no answer any more. */
  lost: AskError | undefined;
};

export class AskAgain {
  #shell: Shell | undefined;

  /** Resolves with what the command says. One question at a time. */
  async ask(question: Question, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const shell = await this.#for(question);
    const answer = Promise.withResolvers<string>();
    if (shell.lost) throw shell.lost;
    shell.said = '';
    shell.answer = answer;
    const abort = () => this.#end().finally(() => answer.reject(signal.reason));
    signal.addEventListener('abort', abort, { once: true });
    try {
      shell.child.stdin.write('\n');
      return await answer.promise;
    } finally {
      signal.removeEventListener('abort', abort);
      shell.answer = undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  /** The one that is kept, unless the question changed: a new password is in its environment. */
  async #for({ command, env }: Question): Promise<Shell> {
    const key = JSON.stringify([command, env]);
    if (this.#shell?.key === key) return this.#shell;
    await this.#end();
    const word = randomBytes(16).toString('hex');
    const child = spawn('sh', ['-c', script, word, ...command], { cwd: '/', env, detached: true });
    track(child);
    const end = new RegExp(`\\n${word} (\\d+)\\n$`);
    const shell: Shell = { child, key, end, said: '', answer: undefined, lost: undefined };
    this.#shell = shell;
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#hear(shell, text));
    // Nothing comes here, the script joins both; a shell that dies shows at its end.
    child.stderr.resume();
    child.stdin.on('error', () => this.#lose(shell, 'the shell does not listen'));
    child.once('error', (error) => this.#lose(shell, error.message));
    child.once('exit', () => {
      this.#lose(shell, 'the shell ended');
      // What it had started may hold its output for long.
      void endGroup(child);
    });
    return shell;
  }

  #hear(shell: Shell, text: string): void {
    shell.said += text;
    const end = shell.end.exec(shell.said);
    if (!end && shell.said.length > mostCharacters) {
      void endGroup(shell.child);
      this.#lose(shell, 'the answer is too long');
      return;
    }
    if (!end) return;
    const status = Number(end[1]);
    const said = shell.said.slice(0, end.index);
    if (status === 0) shell.answer?.resolve(said);
    else shell.answer?.reject(new AskError(said, status));
  }

  #lose(shell: Shell, reason: string): void {
    // One that was ended on purpose is awaited elsewhere.
    if (this.#shell !== shell) return;
    this.#shell = undefined;
    shell.lost = new AskError(reason, 0);
    shell.answer?.reject(shell.lost);
  }

  async #end(): Promise<void> {
    const shell = this.#shell;
    this.#shell = undefined;
    await endGroup(shell?.child);
  }
}
