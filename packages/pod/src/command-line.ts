// outrigger <command> [flags] <pod.yaml>

import { nearest } from '@outrigger/core';
import manifest from '../package.json' with { type: 'json' };
import { commandHelp, parseCommand, unknown } from './command.ts';
import { commands } from './commands.ts';

const usage = 64;

/** Returns the exit code. */
export async function outrigger([word, ...rest]: readonly string[]): Promise<number> {
  if (word === undefined || word === '--help' || word === '-h' || word === 'help') return say(help());
  if (word === '--version') return say(`outrigger ${manifest.version}\n`);
  const command = commands.find(({ name }) => name === word);
  if (!command) return refuse([strange(word)], 'outrigger --help');
  if (rest.includes('--help') || rest.includes('-h')) return say(commandHelp(command));
  const given = parseCommand(command, rest);
  if (!('manifest' in given)) return refuse(given, `outrigger ${command.name} --help`);
  return command.run(given);
}

function help(): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `Usage: outrigger <command> [flags] <pod.yaml>

Runs, checks and prints Pods of an application and its sidecars.

Commands:
${lines.join('\n')}

outrigger <command> --help says more; outrigger --version prints the version.
`;
}

function strange(word: string): string {
  if (word.startsWith('-')) return unknown(word, []);
  const guess = nearest(
    word,
    commands.map(({ name }) => name),
  );
  return `"${word}" is not a command${guess ? `; did you mean ${guess}?` : ''}`;
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

function refuse(problems: readonly string[], more: string): number {
  process.stderr.write(`${problems.map((problem) => `outrigger: ${problem}`).join('\n')}\nSee ${more}\n`);
  return usage;
}
