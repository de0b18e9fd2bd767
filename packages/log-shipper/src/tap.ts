// A window on the records as they are shipped. Nobody looking, it costs one comparison per batch.

import type { ServerResponse } from 'node:http';
import { problem, type Reply } from '@outrigger/core';
import type { Batch } from './batch.ts';
import type { Verdict } from './sink/sink.ts';

export type Look = { readonly sink?: string | undefined; readonly rate?: number | undefined };

const mostListeners = 16;
const usualRate = 50;
/** Comments keep idle connections open, and notice dead ones. */
const beat = 15_000;

export class Tap implements Disposable {
  readonly #listeners = new Set<Listener>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  open(look: Look): Reply {
    if (this.#closed || this.#listeners.size >= mostListeners)
      return problem(503, 'NO_MORE_STREAMS', `At most ${mostListeners} listeners are served, none while stopping`, {});
    return {
      status: 200,
      headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
      body: (response) => {
        if (!response.destroyed) this.#add(new Listener(response, look));
      },
    };
  }

  #add(listener: Listener): void {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => {
      for (const each of this.#listeners) each.write(': still here\n\n');
    }, beat).unref();
    listener.response.once('close', () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    });
    listener.write('retry: 2000\n\n');
  }

  show(sink: string, batch: Batch, verdict: Verdict): void {
    if (this.#listeners.size === 0) return;
    for (const listener of this.#listeners) listener.show(sink, batch, verdict);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const { response } of this.#listeners) response.end();
  }
}

/** One that looks. What it does not take in time is left out and counted: it must not hold up any delivery. */
class Listener {
  readonly response: ServerResponse;
  readonly #sink: string | undefined;
  readonly #rate: number;
  #second = 0;
  #shown = 0;
  #skipped = 0;

  constructor(response: ServerResponse, { sink, rate = usualRate }: Look) {
    this.response = response;
    this.#sink = sink;
    this.#rate = rate;
  }

  write(text: string): void {
    if (!this.response.writableNeedDrain && !this.response.writableEnded) this.response.write(text);
  }

  show(sink: string, batch: Batch, verdict: Verdict): void {
    if (this.#sink !== undefined && this.#sink !== sink) return;
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) [this.#second, this.#shown] = [second, 0];
    const free = this.response.writableNeedDrain ? 0 : Math.min(this.#rate - this.#shown, batch.records);
    let frames = '';
    for (let index = 0; index < free; index++) {
      frames += frameOf({ sink, ...saidOf(verdict, index), ...shown(batch, index), skipped: this.#skipped });
      this.#skipped = 0;
    }
    this.#shown += free;
    this.#skipped += batch.records - free;
    if (frames !== '') this.response.write(frames);
  }
}

function shown(batch: Batch, index: number): object {
  const { fields, ...origin } = batch.provenance(index);
  return { ...origin, record: fields };
}

/** What a verdict on a batch says of one record. */
function saidOf(verdict: Verdict, index: number): { verdict: string; reason?: string } {
  if (verdict.became === 'delivered') return { verdict: 'delivered' };
  if (verdict.became !== 'partly') return { verdict: verdict.became, reason: verdict.reason };
  const death = verdict.dead.find((each) => each.index === index);
  if (death) return { verdict: 'dead', reason: death.reason };
  return verdict.retry.includes(index) ? { verdict: 'retry', reason: verdict.reason } : { verdict: 'delivered' };
}

const frameOf = (data: object): string =>
  `event: record\ndata: ${JSON.stringify({ time: new Date().toISOString(), ...data })}\n\n`;
