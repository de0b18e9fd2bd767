// Indexer acknowledgement of Splunk's collector: asked for until it is there.

import { backoff, formatDuration, pause } from '@outrigger/core';
import type { Headers, HttpPost } from './http-post.ts';
import { delivered, type Verdict } from './sink.ts';

export class Acknowledgements {
  readonly #post: HttpPost;
  readonly #url: URL;
  readonly #timeout: number;

  constructor(post: HttpPost, url: URL, timeout: number) {
    this.#post = post;
    this.#url = url;
    this.#timeout = timeout;
  }

  async await(
    ackId: number,
    { channel, headers, signal }: { channel: string; headers: Headers; signal: AbortSignal },
  ): Promise<Verdict> {
    const url = new URL(this.#url);
    url.searchParams.set('channel', channel);
    const body = Buffer.from(JSON.stringify({ acks: [ackId] }));
    const waits = backoff({ min: '100ms', max: '10s' });
    const end = performance.now() + this.#timeout;
    let reason = 'the indexers have not acknowledged it';
    while (performance.now() < end) {
      await pause(Math.min(waits.next(), Math.max(0, end - performance.now())), signal);
      signal.throwIfAborted();
      try {
        const type = { 'content-type': 'application/json' };
        const answer = await this.#post.post(url, { body, signal, headers: { ...headers, ...type }, pack: false });
        const { acks } = Object(answer.json()) as { acks?: Record<string, boolean> };
        if (acks?.[ackId] === true) return delivered;
        // False is not yet, or not known any more: nobody can tell the two apart.
        if (acks === undefined) reason = `asked whether the indexers have it, the collector says: ${answer.said}`;
      } catch (error) {
        // It is not known whether they have it: asking again is cheaper than sending again.
        signal.throwIfAborted();
        reason = (error as Error).message;
      }
    }
    return { became: 'retry', reason: `${reason} within ${formatDuration(this.#timeout)}` };
  }
}
