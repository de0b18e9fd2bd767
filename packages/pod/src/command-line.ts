// outrigger <command> [flags] <words>

import { nearest } from '@outrigger/core';
import manifest from '../package.json' with { type: 'json' };
import { commandHelp, parseCommand, refuse, say, unknown, type Words } from './command.ts';
import { commands } from './commands.ts';

/** Returns the exit code. */
export async function outrigger([word, ...rest]: readonly string[]): Promise<number> {
  if (word === undefined || word === '--help' || word === '-h' || word === 'help') return say(help());
  if (word === '--version') return say(`outrigger ${manifest.version}\n`);
  const command = commands.find(({ name }) => name === word);
  if (!command) return refuse([strange(word)], 'outrigger --help');
  if (asksForHelp(rest, command.words)) return say(commandHelp(command));
  const given = parseCommand(command, rest);
  if (!('words' in given)) return refuse(given, `outrigger ${command.name} --help`);
  return command.run(given);
}

/** Behind `--` it is meant for somebody else. */
function asksForHelp(argv: readonly string[], { rest }: Words): boolean {
  const end = rest ? argv.indexOf('--') : -1;
  const own = end < 0 ? argv : argv.slice(0, end);
  return own.includes('--help') || own.includes('-h');
}

function help(): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `Usage: outrigger <command> [flags] <what>

Runs, checks and prints Pods of an application and its sidecars; makes sidecars, and tests whether they keep the contract.

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
