// A sink by itself, with real batches: what it says of them, without what is around every sink.

import type { Log, Parameters } from '@outrigger/core';
import type { Batch } from '../../src/batch.ts';
import { Encoder } from '../../src/encode.ts';
import type { Records } from '../../src/records.ts';
import type { Sink, SinkMember, Verdict } from '../../src/sink/sink.ts';
import { batchesOf, recordsOf } from '../chunk.ts';

export type Opened = AsyncDisposable & {
  readonly sink: Sink;
  /** What it has logged. */
  readonly said: string[];
  write(batch: Batch, signal?: AbortSignal): Promise<Verdict>;
};

/** What is not given has its default. */
export function valuesOf(parameters: Parameters, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { default: written, parse, combine }]) => {
      if (name in given || written === undefined) return [name, given[name]];
      return [name, combine([written].flat().map(parse))];
    }),
  );
}

export async function openSink(
  member: SinkMember,
  given: Readonly<Record<string, unknown>>,
  { stateDirectory = '/nonexistent', signal = new AbortController().signal } = {},
): Promise<Opened> {
  const said: string[] = [];
  const say = (message: string | Error, fields = {}) => said.push(`${message} ${JSON.stringify(fields)}`);
  const log: Log = { trace: say, debug: say, info: say, warn: say, error: say, setLevel: () => undefined };
  const values = valuesOf(member.parameters, given) as Parameters;
  const sink = await member.open(values as never, { log, signal, stateDirectory });
  const never = new AbortController().signal;
  return {
    sink,
    said,
    write: async (batch, signal = never) => {
      try {
        return await sink.write(batch, signal);
      } catch (error) {
        return { became: 'retry', reason: (error as Error).message };
      }
    },
    [Symbol.asyncDispose]: async () => sink.close?.(),
  };
}

/** All lines as one batch. */
export const batchOf = (sink: Sink, lines: readonly string[] | Records): Batch => {
  const records = Array.isArray(lines) ? recordsOf(lines) : (lines as Records);
  return batchesOf(new Encoder(sink.encoding, { bytes: Number.POSITIVE_INFINITY }), records)[0]!;
};
