// What main.ts calls: reads the parameters, does what they ask for, and ends the process.

import { exitCodes, Life } from './life.ts';
import { openLog } from './log.ts';
import type { Environment } from './parameters/given.ts';
import { type OpenParameters, openParameters } from './parameters/open-parameters.ts';
import { formatProblems } from './parameters/problem.ts';
import { type Action, actions } from './parameters/standard.ts';
import type { AnySidecar } from './sidecar.ts';
import { leaveTerminationMessage } from './termination.ts';

/** The whole of a sidecar's main.ts. Ends the process. */
export async function run(
  sidecar: AnySidecar,
  { argv = process.argv.slice(2), env = process.env }: { argv?: readonly string[]; env?: Environment } = {},
): Promise<never> {
  const [first = '', ...rest] = argv;
  const word = Object.hasOwn(sidecar.words ?? {}, first) && sidecar.words?.[first];
  if (word) exit(await (await import('./words.ts')).runWord(sidecar, { name: first, word, argv: rest, env }));
  const parameters = await openParameters(sidecar, { argv, env });
  const action = (Object.keys(actions) as Action[]).find((each) => parameters.actions.has(each));
  if (action && action !== 'check')
    exit(await (await import('./print-action.ts')).printAction(action, sidecar, parameters));
  // The one thing a hook or probe must not do is fail because some unrelated parameter is wrong.
  if (parameters.words.length > 0) exit(await (await import('./words.ts')).sendWord(sidecar, parameters));
  if (action === 'check') {
    const problems = await (await import('./check-action.ts')).checkAction(sidecar.name, parameters);
    exit(problems.length > 0 ? refuse(sidecar.name, { problems, values: parameters.values }) : exitCodes.stopped);
  }
  await parameters.check();
  if (parameters.problems.length > 0) exit(refuse(sidecar.name, parameters));
  return exit(await live(sidecar, parameters));
}

// What was written to a pipe must be out before the process ends, hence no process.exit with output pending: stdout and
// stderr of short texts are synchronous for files and pipes on POSIX.
const exit = (code: number): never => process.exit(code);

function refuse(name: string, { problems, values }: Pick<OpenParameters, 'problems' | 'values'>): number {
  const text = formatProblems(name, problems);
  process.stderr.write(`${text}\n`);
  leaveTerminationMessage(values.terminationMessageFile, text);
  return exitCodes.usage;
}

async function live(sidecar: AnySidecar, parameters: OpenParameters): Promise<number> {
  const { values } = parameters;
  const log = openLog({ role: sidecar.name, level: values.logLevel, format: values.logFormat as 'json' | 'pretty' });
  const life = new Life(sidecar, parameters, log);
  try {
    await life.listen();
    await life.watchParameters();
    await life.start();
    await life.asked;
  } catch (error) {
    life.fail(error);
  }
  return life.stop();
}
