// What every form of output is: additions to a workload, written down as files.

import type { Addition } from '../addition.ts';

/** The value of the workload's document, before anything is added. */
export type Workload = Readonly<Record<string, unknown>>;

export type OutputFile = {
  /** Relative to the directory that is asked for; of an output with one file it is only a suggestion. */
  readonly name: string;
  readonly text: string;
};

export type Output = {
  readonly files: readonly OutputFile[];
  /** What this form cannot express or does in another way, one line each. */
  readonly notes: readonly string[];
};

export type WriteOutput<Options = void> = (
  workload: Workload,
  additions: readonly Addition[],
  options: Options,
) => Output;
