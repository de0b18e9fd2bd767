// From batches to packets, and from what became of them to a verdict.

import { reasonOf } from '@outrigger/core';
import type { Batch } from '../../batch.ts';
import { delivered, type Verdict } from '../sink.ts';
import { Silence } from '../stream/deadline.ts';
import { Refused } from './connection.ts';
import type { Engine } from './packed.ts';
import type { Suspicion } from './suspicion.ts';

export type Writing = {
  readonly engine: Engine;
  readonly suspicion: Suspicion;
  readonly signal: AbortSignal;
  /** Of records that have none. */
  readonly tag: string;
};

/** A packet has one tag: records of others go in packets of their own, one after the other. */
export async function write(batch: Batch, writing: Writing): Promise<Verdict> {
  const tags = batch.byTag();
  if (!tags) return await writePacket(batch, writing);
  const groups = [...tags].map(([tag = writing.tag, indices]) => ({ tag, indices }));
  if (groups.length === 1) return await writePacket(batch, { ...writing, tag: groups[0]!.tag });
  // Not the one that had no answer first again: whether another has is what has to be known of the receiver.
  const first = writing.suspicion.silences(batch) % groups.length;
  const order = [...groups.slice(first), ...groups.slice(0, first)];
  for (const [at, { tag, indices }] of order.entries()) {
    const verdict = await writePacket(batch.pick(indices), { ...writing, tag });
    if (verdict.became === 'delivered') continue;
    const later = order.slice(at + 1).flatMap((group) => group.indices);
    return ofAll(verdict, { batch, indices, later });
  }
  return delivered;
}

/** What the verdict on the records at `indices` means for all of the batch, when those `later` were not sent. */
function ofAll(
  verdict: Verdict,
  { batch, indices, later }: { batch: Batch; indices: readonly number[]; later: readonly number[] },
): Verdict {
  if (verdict.became === 'delivered' || verdict.became === 'broken' || verdict.became === 'paused') return verdict;
  const { became, reason } = verdict;
  // None was delivered: the whole is what it was.
  if (became !== 'partly' && became !== 'dead' && indices.length + later.length === batch.records) return verdict;
  const dead = became === 'dead' ? indices.map((index) => ({ index, reason })) : [];
  const again = became === 'partly' ? verdict.retry.map((index) => indices[index]!) : indices;
  const retry = [...(became === 'dead' ? [] : again), ...later].sort((a, b) => a - b);
  return { became: 'partly', reason, retry, dead };
}

async function writePacket(batch: Batch, { engine, suspicion, signal, tag }: Writing): Promise<Verdict> {
  try {
    await engine.send(batch, { tag, signal });
    suspicion.acknowledged();
    return delivered;
  } catch (error) {
    const reason = reasonOf(error);
    if (isRefusal(error)) return { became: 'paused', reason };
    if (error instanceof Silence && suspicion.timedOut(batch))
      return await doubt(batch, { engine, suspicion, signal, tag });
    return { became: 'retry', reason };
  }
}

/**
 * A batch that has had its chances. What is lost on one record that the receiver drops without a word is a batch that comes
 * for ever, so it is divided until the record is found; but a receiver that acknowledges nothing at all is down, and a
 * record is not to blame before another one has been acknowledged.
 */
async function doubt(batch: Batch, { engine, suspicion, signal, tag }: Writing): Promise<Verdict> {
  const { records } = batch;
  const reason = 'the receiver never acknowledges it';
  if (records === 1) {
    if (!suspicion.proved) return { became: 'retry', reason, doubtful: true };
    return { became: 'dead', reason: `${reason}, and acknowledges others` };
  }
  if (suspicion.proved) return { became: 'split', reason };
  // The first half is sent first as a rule. Should the fault be there, nothing would ever prove the receiver well.
  const middle = Math.ceil(records / 2);
  const half = batch.slice(middle, records);
  try {
    await engine.send(half, { tag, signal });
  } catch (error) {
    return { became: error instanceof Silence ? 'split' : 'retry', reason: reasonOf(error) };
  }
  suspicion.acknowledged();
  return { became: 'partly', reason, retry: Array.from({ length: middle }, (_, index) => index), dead: [] };
}

const isRefusal = (error: unknown): boolean =>
  error instanceof Refused || (error instanceof AggregateError && error.errors.every(isRefusal));
