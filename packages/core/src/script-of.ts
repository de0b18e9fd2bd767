// What an interpreter runs: `node billing.cjs` is known as billing.cjs, not as node.

import { basename } from 'node:path';

type Interpreter = {
  readonly program: RegExp;
  /** Options whose value follows as a word of its own, so that it is not taken for the script. */
  readonly withValue?: readonly string[];
  /** What follows one of these is what is run. */
  readonly runs?: readonly string[];
  /** These are followed by code: there is no script. */
  readonly code?: readonly string[];
};

const interpreters: readonly Interpreter[] = [
  {
    program: /^node(?:js)?$/,
    withValue: ['-r', '--require', '--import', '--loader', '--experimental-loader', '-C', '--conditions', '--title'],
    code: ['-e', '-p', '--eval', '--print'],
  },
  { program: /^(?:bun|deno)$/, withValue: ['-c', '--config'], runs: ['run'], code: ['-e', 'eval'] },
  { program: /^(?:python|pypy)[\d.]*$/, withValue: ['-W', '-X'], runs: ['-m'], code: ['-c'] },
  { program: /^(?:ruby|perl|lua)[\d.]*$/, withValue: ['-I', '-r'], code: ['-e'] },
  { program: /^php[\d.]*$/, withValue: ['-c', '-d'], runs: ['-f'], code: ['-r'] },
  {
    program: /^java$/,
    withValue: [
      '-cp',
      '-classpath',
      '--class-path',
      '-p',
      '--module-path',
      '--add-modules',
      '--add-opens',
      '--add-exports',
    ],
    runs: ['-jar', '-m', '--module'],
  },
  { program: /^(?:ba|da|a|z)?sh$/, withValue: ['-o'], code: ['-c'] },
  { program: /^dotnet$/ },
];

/** The base name of what an interpreter runs, undefined for any other program. */
export function scriptOf([program = '', ...words]: readonly string[]): string | undefined {
  const interpreter = interpreters.find((each) => each.program.test(basename(program)));
  if (!interpreter) return undefined;
  const { withValue = [], runs = [], code = [] } = interpreter;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (code.includes(word)) return undefined;
    if (withValue.includes(word)) at++;
    else if (runs.includes(word) || word === '--') continue;
    else if (!word.startsWith('-')) return basename(word);
  }
  return undefined;
}
