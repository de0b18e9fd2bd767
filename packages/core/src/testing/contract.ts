// The contract that every sidecar keeps, as tests. A package calls contract() in test/contract.test.ts.

import { describe } from 'vitest';
import { adminContract } from './admin-contract.ts';
import { apiContract } from './api-contract.ts';
import { lifeContract } from './life-contract.ts';
import { parametersContract } from './parameters-contract.ts';
import { scratch } from './scratch.ts';
import { type RunningSidecar, type StartOptions, startSidecar } from './start-sidecar.ts';

/** Arguments of a valid start, whose files lie in the given directory. */
export type ValidArguments = (directory: string) => readonly string[] | Promise<readonly string[]>;

/** @param main URL of the package's main.ts. */
export function contract(main: string, validArguments: ValidArguments): void {
  /** A sidecar with a directory of its own, until the end of the test. */
  const started = async (options: StartOptions = {}) => {
    const directory = await scratch();
    const sidecar = await startSidecar(main, await validArguments(directory.path), options);
    const stack = new AsyncDisposableStack();
    stack.use(directory);
    stack.use(sidecar);
    return { sidecar, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  };
  /** What the program says when it is expected to end by itself. */
  const ended = async (args: readonly string[], options: StartOptions = {}) => {
    await using sidecar = await startSidecar(main, args, { wait: false, ...options });
    const { code } = await sidecar.exited;
    return { code, stdout: sidecar.stdout, stderr: sidecar.stderr };
  };

  describe('the contract of a sidecar', () => {
    lifeContract(started, ended);
    adminContract(started);
    apiContract(started);
    parametersContract(started, ended, validArguments);
  });
}

export type Started = (options?: StartOptions) => Promise<AsyncDisposable & { readonly sidecar: RunningSidecar }>;
export type Ended = (
  args: readonly string[],
  options?: StartOptions,
) => Promise<{ code: number | null; stdout: string; stderr: string }>;
