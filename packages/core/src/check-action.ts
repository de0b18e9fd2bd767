// --check: tests the parameters and what they name, and says what was tested.

import type { OpenParameters } from './parameters/open-parameters.ts';
import { formatProblem, type Problem } from './parameters/problem.ts';
import { type Reached, reachPeers } from './parameters/reach.ts';

/** Prints what is right and what may be; returns what is wrong. */
export async function checkAction(name: string, parameters: OpenParameters): Promise<Problem[]> {
  await parameters.check();
  for (const warning of parameters.warnings) print(`warning: ${warning}`);
  const reached = parameters.problems.length > 0 ? [] : await reachPeers(parameters);
  for (const each of reached) if (!each.message || each.beside) print(sayReached(each));
  const missing = reached.flatMap(({ message, beside, ...where }) =>
    message && !beside ? [{ ...where, message }] : [],
  );
  const problems = [...parameters.problems, ...missing];
  if (problems.length === 0) print(`${name}: all parameters are right`);
  return problems;
}

const print = (line: string) => process.stdout.write(`${line}\n`);

function sayReached({ message, parameter, value, source }: Reached): string {
  const said = message ? `${message}; it may start later` : 'reached';
  const line = `${parameter} ${formatProblem({ parameter, value, source, message: said })}`;
  return message ? `note: ${line}` : line;
}
