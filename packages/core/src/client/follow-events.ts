// The events of a sidecar without end: connects again whenever the stream ends, and goes on where it was.

import type { IncomingMessage } from 'node:http';
import { backoff } from '../backoff.ts';
import type { SidecarEvent } from '../events.ts';
import { pause } from '../every.ts';
import { heeding } from '../retry.ts';
import type { Connection } from './connection.ts';
import { ClientError, clientError, ProblemError, problemError } from './problem-error.ts';
import { EventReader } from './read-events.ts';

export type EventOptions = {
  /** Id of the last event that is known: only later ones come. */
  readonly after?: string | undefined;
  /** Only these types, beside `gap` and `stopped`. */
  readonly types?: readonly string[];
  /** Ends the iteration. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds of silence after which the stream is taken for dead (default 45000; a sidecar says something every 15 s). */
  readonly silence?: number;
};

/** Throws a ProblemError when it refuses for good or answers something else, a ClientError for events that cannot be read. */
export async function* followEvents(
  connection: Connection,
  { after, types = [], signal, silence = 45_000 }: EventOptions,
): AsyncGenerator<SidecarEvent, void, void> {
  const query = types.map((type) => `type=${encodeURIComponent(type)}`).join('&');
  const path = `/v1/events${query && `?${query}`}`;
  const waits = backoff({ min: '500ms', max: '30s' });
  let reader = new EventReader(after);
  const over = signal ? AbortSignal.any([signal, connection.ended]) : connection.ended;
  while (!over.aborted) {
    let asked = 0;
    // What a cut stream left half said is forgotten.
    reader = new EventReader(reader.id, reader.retry);
    try {
      const stream = await openStream(connection, path, reader.id, over);
      try {
        for await (const text of texts(stream, silence)) {
          for (const event of reader.feed(text)) {
            waits.reset();
            yield event;
          }
        }
      } finally {
        stream.destroy();
      }
    } catch (error) {
      if (!over.aborted && !isPassing(error)) throw error;
      asked = (error instanceof ProblemError && error.retryAfter) || 0;
    }
    await pause(heeding(waits.next(), Math.max(asked, reader.retry ?? 0)), over);
  }
  if (!signal?.aborted) throw over.reason;
}

async function openStream(connection: Connection, path: string, id: string | undefined, signal: AbortSignal) {
  const headers = { accept: 'text/event-stream', ...(id && { 'last-event-id': id }) };
  const response = await connection.open({ method: 'GET', path, headers, signal });
  response.setEncoding('utf8');
  const { statusCode: status = 0 } = response;
  if (status === 200 && response.headers['content-type']?.startsWith('text/event-stream')) return response;
  let text = '';
  for await (const chunk of texts(response, 5_000)) {
    text += chunk;
    if (text.length > 65_536) break;
  }
  response.destroy();
  throw problemError(`GET ${path}`, { status, headers: response.headers, text });
}

/** What comes, as it is asked for: a slow reader slows the sidecar down and nothing piles up. */
async function* texts(response: IncomingMessage, silence: number): AsyncGenerator<string, void, void> {
  const chunks = response[Symbol.asyncIterator]() as AsyncIterator<string>;
  for (;;) {
    const quiet = () => response.destroy(new ClientError('TIMEOUT', `nothing was heard for ${silence} ms`));
    const timer = setTimeout(quiet, silence);
    try {
      const { done, value } = await chunks.next();
      if (done) return;
      clearTimeout(timer);
      yield value;
    } catch (error) {
      throw clientError(error as Error);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Whether another attempt may go better. */
function isPassing(error: unknown): boolean {
  if (error instanceof ProblemError) return error.status === 429 || error.status >= 500;
  return error instanceof ClientError && error.code !== 'INVALID_JSON' && error.code !== 'BODY_TOO_LARGE';
}
