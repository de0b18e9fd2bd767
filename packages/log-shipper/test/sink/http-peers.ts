// How each sink over HTTP is told where its receiver is, and a sink opened as the sidecar opens it.

import { family } from '@outrigger/core';
import { readParameters } from '@outrigger/core/testing';
import type { Batch } from '../../src/batch.ts';
import { Encoder } from '../../src/encode.ts';
import type { Records } from '../../src/records.ts';
import { sinks } from '../../src/sink/index.ts';
import type { Death, Sink, Verdict } from '../../src/sink/sink.ts';
import { batchesOf, recordsOf } from '../chunk.ts';
import type { DatadogReceiver } from '../receivers/datadog.ts';
import type { HttpReceiver } from '../receivers/http-receiver.ts';
import type { receivers } from '../receivers/receivers.ts';
import type { SplunkReceiver } from '../receivers/splunk.ts';

export type HttpSinkName = keyof typeof receivers;
type Env = Readonly<Record<string, string>>;

/** What a receiver wants to be shown. */
export function credentialsFor(name: HttpSinkName, receiver: HttpReceiver): Env {
  if (name === 'splunk-hec') return { OUTRIGGER_SINK_SPLUNK_HEC_TOKEN: (receiver as SplunkReceiver).token };
  if (name === 'datadog') return { OUTRIGGER_SINK_DATADOG_API_KEY: (receiver as DatadogReceiver).key };
  return {};
}

export type OpenSink = AsyncDisposable & {
  readonly sink: Sink;
  /** What the sidecar would have said. */
  readonly said: string[];
  batch(lines: readonly string[] | Records): Batch;
  /** One write of all of it. */
  write(lines: readonly string[] | Records, signal?: AbortSignal): Promise<Verdict>;
};

export async function openSink(name: keyof typeof sinks, args: readonly string[], env: Env = {}): Promise<OpenSink> {
  const parameters = { sink: family(sinks, { help: 'Where records go' }) };
  const { values, problems } = await readParameters(parameters, ['--sink', name, ...args], { env });
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const said: string[] = [];
  const say = (message: unknown) => void said.push(String(message));
  const log = { trace: say, debug: say, info: say, warn: say, error: say, setLevel: say };
  const context = { log, signal: new AbortController().signal, stateDirectory: '/' };
  const sink = await values.sink.member.open(values.sink.parameters, context);
  const batch = (lines: readonly string[] | Records): Batch => {
    const records = Array.isArray(lines) ? recordsOf(lines as string[]) : (lines as Records);
    const [first, ...others] = batchesOf(new Encoder(sink.encoding, { bytes: 64 << 20 }), records);
    if (!first || others.length > 0) throw new Error('It is not one batch');
    return first;
  };
  return {
    sink,
    said,
    batch,
    write: (lines, signal = AbortSignal.timeout(20_000)) => sink.write(batch(lines), signal),
    [Symbol.asyncDispose]: async () => {
      await sink.close?.();
    },
  };
}

export async function openTo(
  name: HttpSinkName,
  receiver: HttpReceiver,
  args: readonly string[] = [],
  env: Env = {},
): Promise<OpenSink> {
  return openSink(name, [`--sink-${name}-url`, receiver.url, ...args], { ...credentialsFor(name, receiver), ...env });
}

export type Drained = { readonly dead: (Death & { readonly uid: string })[]; readonly verdicts: Verdict['became'][] };

/** Does what verdicts ask for, as deliver.ts does and without its waits, until all of a batch is delivered or dead. */
export async function drain({ sink }: OpenSink, batch: Batch, most = 200): Promise<Drained> {
  const pieces = [batch];
  const drained: Drained = { dead: [], verdicts: [] };
  const bury = (piece: Batch, deaths: readonly Death[]) =>
    drained.dead.push(...deaths.map((death) => ({ ...death, uid: piece.uid(death.index) })));
  for (let piece = pieces.shift(); piece; piece = pieces.shift()) {
    if (drained.verdicts.length > most) throw new Error(`No end after ${most} requests`);
    const { records } = piece;
    const verdict = await sink.write(piece, AbortSignal.timeout(20_000));
    drained.verdicts.push(verdict.became);
    const all = Array.from({ length: records }, (_, index) => index);
    if (verdict.became === 'split' && records > 1) {
      const middle = Math.ceil(records / 2);
      pieces.unshift(piece.slice(0, middle), piece.slice(middle, records));
    } else if (verdict.became === 'dead' || verdict.became === 'split')
      bury(
        piece,
        all.map((index) => ({ index, reason: verdict.reason })),
      );
    else if (verdict.became === 'partly') {
      bury(piece, verdict.dead);
      if (verdict.retry.length > 0) pieces.unshift(piece.pick(verdict.retry));
    } else if (verdict.became !== 'delivered') pieces.unshift(piece);
  }
  return drained;
}
