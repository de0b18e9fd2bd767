// `log-shipper replay --to X`: dead letters are sent again, wherever the mistake is mended.

import { heeding, ParameterProblem, reasonOf, wait } from '@outrigger/core';
import { type Batch, uidOf } from '../batch.ts';
import type { DeadLetter } from '../dead/dead-letters.ts';
import { momentOf, replay } from '../dead/replay.ts';
import { Encoder } from '../encode.ts';
import { Records } from '../records.ts';
import type { Sink } from '../sink/sink.ts';
import { sampleChunk, wordContext } from './sample.ts';
import type { Replayed } from './words.ts';

const batchBytes = 0x100000;
const betweenAttempts = 1000;

/** Returns the exit code: 0 once all letters that match are delivered. */
export async function replayTo({ stateDirectory, to, patience, ...given }: Replayed): Promise<number> {
  const ending = new AbortController();
  const sink = await open(to, ending.signal);
  const filter = {
    since: momentOf(given.since),
    until: momentOf(given.until),
    sink: given.refusedBy,
    reason: given.reason,
  };
  try {
    const { delivered, left, unreadable } = await replay({ stateDirectory, filter }, async (letters) => {
      for (const batch of batchesOf(letters, sink)) await send(batch, sink, patience);
    });
    process.stderr.write(`${delivered} dead letters delivered, ${left} left, ${unreadable} lines that are none\n`);
    return 0;
  } finally {
    ending.abort();
    await sink.close?.();
  }
}

/** Sinks name their parameters as the shipper has them. */
async function open({ member, parameters }: Replayed['to'], signal: AbortSignal): Promise<Sink> {
  try {
    return await member.open(parameters, wordContext(signal));
  } catch (error) {
    if (!(error instanceof ParameterProblem)) throw error;
    throw new ParameterProblem(error.key.replace(/^sink/, 'to'), error.message, { cause: error });
  }
}

function* batchesOf(letters: readonly DeadLetter[], { encoding, limits }: Sink): Generator<Batch> {
  const bytes = Math.min(batchBytes, limits?.bytes ?? batchBytes);
  const encoder = new Encoder(encoding, { ...limits, bytes });
  yield* encoder.encode(recordsOf(letters));
  const last = encoder.flush();
  if (last) yield last;
}

/** As they were when they were refused: nothing is parsed or transformed again. */
function recordsOf(letters: readonly DeadLetter[]): Records {
  const lines = letters.map(({ record }) => Buffer.from(`${JSON.stringify(record)}\n`));
  const chunk = sampleChunk(Buffer.concat(lines), `dead letters of ${letters[0]?.source.path}`);
  const spans: number[] = [];
  let start = 0;
  for (const { length } of lines) {
    spans.push(start, start + length - 1);
    start += length;
  }
  const records = new Records({ chunk, spans, length: start });
  records.format = 'json';
  // Of two letters that say the same, a receiver that knows ids would keep one otherwise.
  records.uids = letters.map(({ source: { uid } }, index) => (wellFormed.test(uid) ? uid : uidOf(records, index)));
  records.levels = Uint8Array.from(letters, ({ source }) => source.level);
  const times = letters.map(({ source }) => Date.parse(source.time));
  records.times = {
    seconds: Float64Array.from(times, (time) => Math.floor(time / 1000)),
    nanos: Uint32Array.from(letters, ({ source }) => nanosOf(source.time)),
  };
  return records;
}

/** Some sinks write it as it is. */
const wellFormed = /^[\w-]{1,64}$/;

const nanosOf = (time: string): number => Number((/\.(\d+)Z$/.exec(time)?.[1] ?? '').padEnd(9, '0').slice(0, 9));

/** Throws when it is not taken: then its letters stay. */
async function send(batch: Batch, sink: Sink, patience: number): Promise<void> {
  const end = performance.now() + patience;
  const pieces = [batch];
  for (let piece = pieces.shift(); piece; piece = pieces.shift()) {
    const verdict = await attempt(piece, sink);
    if (verdict.became === 'delivered') continue;
    if (verdict.became === 'split' && piece.records > 1) {
      const middle = Math.ceil(piece.records / 2);
      pieces.unshift(piece.slice(0, middle), piece.slice(middle, piece.records));
      continue;
    }
    const rest = verdict.became === 'partly' && verdict.dead.length === 0 ? piece.pick(verdict.retry) : piece;
    const passing = verdict.became === 'retry' || rest !== piece;
    if (!passing || performance.now() > end) throw new Error(`the letters stay: ${verdict.reason}`);
    await wait(heeding(betweenAttempts, 'after' in verdict ? verdict.after : 0));
    pieces.unshift(rest);
  }
}

async function attempt(piece: Batch, sink: Sink) {
  try {
    return await sink.write(
      piece,
      sink.timeout === undefined ? new AbortController().signal : AbortSignal.timeout(sink.timeout),
    );
  } catch (error) {
    return { became: 'retry', reason: reasonOf(error) } as const;
  }
}
