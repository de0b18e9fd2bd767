// Before anything is started: sinks say by themselves what is wrong with what they are given. To open one connects to
// nobody and changes nothing.

import { type Log, ParameterProblem, reasonOf, type Values } from '@outrigger/core';
import type { parameters } from './parameters.ts';
import { sinks } from './sink/index.ts';

type Given = Values<Pick<typeof parameters, 'sink' | 'stateDirectory'>>;

const nothing = () => undefined;
/** What a sink has to say it says when it is opened to be used. */
const silent: Log = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing, setLevel: nothing };

export async function checkSinks(
  { sink: given, stateDirectory }: Given,
  problem: (parameter: never, message: string) => void,
): Promise<void> {
  const ending = new AbortController();
  for (const { name, member, parameters } of given) {
    // Has nothing that could be wrong, and standard output can be opened once.
    if (member === sinks.stdout) continue;
    try {
      const sink = await member.open(parameters, { log: silent, signal: ending.signal, stateDirectory });
      await sink.close?.();
    } catch (error) {
      // A sink's own parameters are none of ours by type.
      const key = error instanceof ParameterProblem ? error.key : 'sink';
      problem(key as never, key === 'sink' ? `${name}: ${reasonOf(error)}` : reasonOf(error));
    }
  }
  ending.abort();
}
