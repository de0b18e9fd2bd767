// A command that is run for each notification, in a process group of its own.

import type { Log } from '../log.ts';
import { list } from '../parameters/collections.ts';
import { path, text } from '../parameters/kinds.ts';
import { ProgramError, passedOn, runProgram } from '../program.ts';
import { command } from '../program-parameter.ts';
import { errors } from './errors.ts';
import { defineNotifier, type Notice, type Notifier } from './notifier.ts';

export const exec = defineNotifier({
  summary: 'Runs a command; exit code 0 is success',
  parameters: {
    command: command({
      example: '/usr/local/bin/reload',
      help: 'The program and its arguments, in quotes what has spaces; without a shell, unless this names one',
    }),
    environment: list(text, {
      default: [],
      help: 'Variables of this sidecar that the command gets, too, beside PATH, HOME, TMPDIR, LANG, LC_ALL and TZ',
    }),
    directory: path({ default: '/', access: 'directory', help: 'Where the command is run' }),
  },

  open: ({ command, environment, directory }, { log }) =>
    execNotifier({
      command,
      log,
      place: ({ generation, hash }) => ({
        directory,
        env: { ...passedOn(environment), OUTRIGGER_GENERATION: String(generation), OUTRIGGER_HASH: hash },
      }),
    }),
});

export type ExecOptions<N extends Notice> = {
  readonly command: readonly string[];
  readonly log: Log;
  readonly place: (notice: N) => { readonly directory: string; readonly env: Readonly<Record<string, string>> };
};

/** Of what it says, for the log. */
const outputLimit = 4096;

export function execNotifier<N extends Notice>({ command, log, place }: ExecOptions<N>): Notifier<N> {
  // Arguments may hold secrets.
  const target = command[0]!;
  return {
    target,
    async notify(notice, signal) {
      try {
        return { output: await runProgram({ ...place(notice), command, signal, outputLimit, log }) };
      } catch (error) {
        if (!(error instanceof ProgramError)) throw error;
        const { exitCode, signal: endedBy, output } = error;
        throw errors.NOTIFY_EXEC_FAILED({ target, exitCode, endedBy, output }, error);
      }
    },
  };
}
