// --check: tests the parameters and what they name, says what was tested, and ends.

import type { OpenParameters } from './parameters/open-parameters.ts';
import { formatProblem, formatProblems } from './parameters/problem.ts';
import { type Reached, reachPeers } from './parameters/reach.ts';
import { leaveTerminationMessage } from './termination.ts';

/** Prints what was found and returns the exit code, 0 or 64. */
export async function checkAction(name: string, parameters: OpenParameters): Promise<number> {
  await parameters.check();
  for (const warning of parameters.warnings) print(`warning: ${warning}`);
  const reached = parameters.problems.length > 0 ? [] : await reachPeers(parameters);
  for (const each of reached) if (!each.message || each.beside) print(sayReached(each));
  const missing = reached.flatMap(({ message, beside, ...where }) =>
    message && !beside ? [{ ...where, message }] : [],
  );
  const problems = [...parameters.problems, ...missing];
  if (problems.length === 0) {
    print(`${name}: all parameters are right`);
    return 0;
  }
  const text = formatProblems(name, problems);
  process.stderr.write(`${text}\n`);
  leaveTerminationMessage(parameters.values.terminationMessageFile, text);
  return 64;
}

const print = (line: string) => process.stdout.write(`${line}\n`);

function sayReached({ message, parameter, value, source }: Reached): string {
  const said = message ? `${message}; it may start later` : 'reached';
  const line = `${parameter} ${formatProblem({ parameter, value, source, message: said })}`;
  return message ? `note: ${line}` : line;
}
