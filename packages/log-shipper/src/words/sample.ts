// Lines that come from no source, on their way to one sink: as a file would be shipped, and nothing is remembered.

import { type Log, reasonOf, type Values } from '@outrigger/core';
import type { Batch } from '../batch.ts';
import { Encoder } from '../encode.ts';
import type { sampled } from '../parameters.ts';
import { Pipeline } from '../pipeline.ts';
import type { Sink, SinkContext } from '../sink/sink.ts';
import type { Chunk } from '../source/source.ts';

export type Sampled = Values<typeof sampled>;

/** As much of a sample as makes one batch. */
export async function batchOf(
  lines: Buffer,
  { encoding, limits }: Sink,
  parameters: Sampled,
): Promise<Batch | undefined> {
  const pipeline = await Pipeline.open(parameters, {
    ...wordContext(new AbortController().signal),
    metrics: uncounted,
  });
  const records = pipeline.records(sampleChunk(lines, '/dev/stdin'));
  const bytes = Math.min(parameters.batchLimit, limits?.bytes ?? parameters.batchLimit);
  const encoder = new Encoder(encoding, { ...limits, bytes });
  for (const batch of encoder.encode(records)) return batch;
  return encoder.flush();
}

const nothing = () => undefined;
const uncounted = { redactions: { inc: nothing }, redactionFailures: { inc: nothing } };

export const sampleChunk = (bytes: Buffer, path: string): Chunk => ({
  path,
  origin: 'sample',
  offset: 0,
  bytes,
  unfinished: 'line',
  quiet: Number.POSITIVE_INFINITY,
  full: false,
  take: nothing,
  acknowledgement: () => nothing,
  release: nothing,
});

/** What a sink that is opened by a word may ask for. It says what it has to say on stderr. */
export function wordContext(signal: AbortSignal): SinkContext {
  const say = (message: string | Error) => void process.stderr.write(`${reasonOf(message)}\n`);
  const log: Log = { trace: nothing, debug: nothing, info: nothing, warn: say, error: say, setLevel: nothing };
  return { log, signal, stateDirectory: '/nowhere' };
}
