// Server-sent events: what a listener missed, then what happens, as fast as it reads.

import type { ServerResponse } from 'node:http';
import type { Events, Position } from '../events.ts';
import { problem } from './problem.ts';
import type { Reply } from './router.ts';

export type StreamOptions = {
  /** Streams at the same time. */
  readonly limit?: number;
  /** Milliseconds between two comments, which keep idle connections open and notice dead ones. */
  readonly beat?: number;
};

export type Wanted = { readonly after: string | undefined; readonly types: readonly string[] };

const retryMilliseconds = 2_000;
// A listener that took nothing for so many beats is gone or stuck, and others want its place; it may resume.
const patience = 4;

/** Every open stream of a sidecar. */
export class EventStreams {
  readonly #events: Events;
  readonly #limit: number;
  readonly #beat: number;
  readonly #open = new Set<Stream>();
  #timer: NodeJS.Timeout | undefined;

  constructor(events: Events, { limit = 64, beat = 15_000 }: StreamOptions = {}) {
    this.#events = events;
    this.#limit = limit;
    this.#beat = beat;
  }

  open({ after, types }: Wanted): Reply {
    if (this.#open.size >= this.#limit || this.#events.closed) {
      const detail = `At most ${this.#limit} listeners are served, none while stopping`;
      return problem(503, 'NO_MORE_STREAMS', detail, {}, { 'retry-after': '5' });
    }
    return {
      status: 200,
      // Proxies must pass each event on when it comes.
      headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
      body: (response) => {
        // It may have left while its request was looked at: then no 'close' will come.
        if (!response.destroyed) this.#add(new Stream(response, this.#events, this.#events.after(after), types));
      },
    };
  }

  #add(stream: Stream): void {
    this.#open.add(stream);
    this.#timer ??= setInterval(() => {
      for (const each of this.#open) each.beat();
    }, this.#beat).unref();
    stream.start(() => {
      this.#open.delete(stream);
      if (this.#open.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    });
  }
}

/** One listener: a cursor into the history. Nothing is kept for it beside what its socket has taken. */
class Stream {
  readonly #response: ServerResponse;
  readonly #events: Events;
  readonly #types: ReadonlySet<string> | undefined;
  #next: number;
  #restarted: boolean;
  #full = false;
  #beatsWithoutReading = 0;

  constructor(response: ServerResponse, events: Events, { next, restarted }: Position, types: readonly string[]) {
    this.#response = response;
    this.#events = events;
    this.#next = next;
    this.#restarted = restarted;
    this.#types = types.length > 0 ? new Set([...types, 'stopped']) : undefined;
  }

  start(closed: () => void): void {
    const silence = this.#events.listen(() => this.#writeNews());
    this.#response.on('drain', () => {
      this.#full = false;
      this.#beatsWithoutReading = 0;
      this.#writeNews();
    });
    this.#response.once('close', () => {
      silence();
      closed();
    });
    this.#write(`retry: ${retryMilliseconds}\n\n`);
    if (this.#restarted) this.#write(this.#gap('restarted', null));
    this.#writeNews();
  }

  #writeNews(): void {
    if (this.#full || this.#response.writableEnded || this.#response.destroyed) return;
    this.#response.cork();
    while (!this.#full) {
      const { oldest } = this.#events;
      if (this.#next < oldest) {
        const missed = oldest - this.#next;
        this.#next = oldest;
        this.#write(this.#gap('behind', missed));
      } else {
        const event = this.#events.at(this.#next);
        if (!event) break;
        this.#next += 1;
        if (!this.#types || this.#types.has(event.type)) this.#write(event.frame);
      }
    }
    this.#response.uncork();
    if (this.#events.closed && !this.#full) this.#response.end();
  }

  #write(text: string | Buffer): void {
    if (!this.#response.write(text)) this.#full = true;
  }

  /** Stands for events that are not kept any more. Its id is that of the last of them. */
  #gap(reason: 'behind' | 'restarted', missed: number | null): Buffer {
    return this.#events.frame(this.#next - 1, 'gap', { time: new Date().toISOString(), reason, missed });
  }

  beat(): void {
    if (this.#full && ++this.#beatsWithoutReading >= patience) this.#response.destroy();
    if (!this.#full && !this.#response.destroyed) this.#write(': still here\n\n');
  }
}
