// What the oracle asks of a sink under test: what the shipper needs to reach it, how it can fail, and what has arrived there.

import type { Readable } from 'node:stream';

/** One record, as the line that it was. */
export type Arrived = {
  /** A Buffer where bytes arrive as they were, text where what was not UTF-8 has been repaired. */
  readonly line: string | Buffer;
  /** Which file it says it comes from. */
  readonly path?: string | undefined;
};

/** What came at once. */
export type Arrival = {
  /** Which start of the shipper has sent it. */
  readonly run: number;
  /** Milliseconds on the monotonic clock of this machine. */
  readonly at: number;
  /** The same in every attempt of a batch; absent where there are no batches. */
  readonly chunk?: string | undefined;
  readonly records: readonly Arrived[];
};

export type OracleSink = AsyncDisposable & {
  /** As the ledger calls it. */
  readonly name: string;
  /** Of the shipper. */
  readonly args: readonly string[];
  /** What may go wrong with it. */
  readonly faults: readonly string[];
  /** Begins to fail, until it is healed. */
  fail(how: string): Promise<void>;
  heal(): Promise<void>;
  /** What has arrived since this was asked last. Throws where it was not what the protocol wants. */
  received(): readonly Arrival[];
  /** Where the shipper's standard output is the sink. */
  attach?(stdout: Readable, run: number): void;
};

export const monotonic = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

/** What the shipper adds to each record: how it is told apart again. */
export const added = { path: 'oracle_path', run: 'oracle_run' } as const;

/** The line that a record was made of, and what was added to it. */
export function arrivedOf(record: Readonly<Record<string, unknown>>): Arrived & { readonly run: number } {
  const { [added.path]: path, [added.run]: run, partial: _, parse_error: __, ...own } = record;
  const { log } = own;
  const line = typeof log === 'string' ? log : JSON.stringify(own);
  return { line, path: String(path), run: Number(run) };
}
