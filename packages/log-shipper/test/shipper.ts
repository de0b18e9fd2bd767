// A real log-shipper with a scratch directory: logs/ holds what it follows, state/ what it remembers.

import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { metricOf, type RunningSidecar, type StartOptions, scratch, startSidecar } from '@outrigger/core/testing';
import type { LedgerView } from '../src/api.ts';

export const main = import.meta.resolve('../src/main.ts');

/** What a test does not say itself. The defaults would make it wait. */
const usual = (directory: string): string[][] => [
  ['--source-file-paths', join(directory, 'logs/app.log')],
  ['--state-directory', join(directory, 'state')],
  ['--source-file-poll-interval', '20ms'],
  ['--source-file-rotate-wait', '300ms'],
];

export async function workplace() {
  const directory = await scratch();
  await mkdir(directory.join('logs'));
  await mkdir(directory.join('state'));
  const log = (name = 'app.log') => directory.join('logs', name);
  return {
    path: directory.path,
    log,
    state: (name = '') => directory.join('state', name),
    append: (content: string | Uint8Array, name?: string) => appendFile(log(name), content),
    /** Starts a shipper that follows app.log. */
    ship: (args: readonly string[] = [], options?: StartOptions) =>
      startSidecar(main, argumentsFor(directory.path, args), options),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

export function argumentsFor(directory: string, args: readonly string[] = []): string[] {
  const sources = args.filter((_, index) => args[index - 1] === '--source');
  const reads = sources.length === 0 || sources.includes('file');
  const own = usual(directory).filter(([flag]) => reads || !flag!.startsWith('--source-file'));
  return [...own.filter(([flag]) => !args.includes(flag!)).flat(), ...args];
}

export const toForward = (address: string): string[] => ['--sink', 'forward', '--sink-forward-address', address];

/** `line 1` to `line n`, without newlines. */
export const sequence = (from: number, to: number, word = 'line'): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `${word} ${from + index}`);

export const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

export const ledgerOf = async (shipper: RunningSidecar): Promise<LedgerView> =>
  (await (await shipper.get('/v1/ledger')).json()) as LedgerView;

/** The value of one series of the role's own, 0 when it is not there. */
export const metric = (shipper: RunningSidecar, series: string): Promise<number> =>
  metricOf(shipper, `outrigger_log_shipper_${series}`);
