// First stage: the document's bytes, or one Fault that says why there are none. Deadline and limits for every source.

import { Fault, formatDuration, formatSize, reasonOf } from '@outrigger/core';
import type { Breaker } from './breaker.ts';
import { errors } from './errors.ts';
import { sourceOf } from './source/index.ts';
import type { Credentials, Opened } from './source/source.ts';
import type { Answer } from './translate.ts';

export type Fetching = {
  readonly target: URL;
  readonly credentials: Credentials;
  readonly timeout: number;
  readonly bodyLimit: number;
  /** Aborts at the deadline or when the sidecar stops. */
  readonly signal: AbortSignal;
};

export async function fetchDocument(fetching: Fetching): Promise<Answer> {
  const { target, credentials, timeout, bodyLimit, signal } = fetching;
  const shown = showTarget(target);
  try {
    signal.throwIfAborted();
    const opened = await sourceOf(target).open({ target, shown, credentials, signal });
    const bytes = await collect(opened, bodyLimit);
    // An answer without a length that is broken off here looks complete.
    signal.throwIfAborted();
    if (bytes.length === 0) throw errors.ADAPTER_DOCUMENT_EMPTY();
    return { bytes, charset: opened.charset };
  } catch (error) {
    if (error instanceof Fault) throw error;
    if (signal.aborted) throw errors.ADAPTER_TARGET_TIMEOUT({ target: shown, timeout: formatDuration(timeout) });
    throw errors.ADAPTER_TARGET_UNREACHABLE({ target: shown, detail: reasonOf(error) });
  }
}

/**
 * The same, unless the target hung several times in a row: every further request would wait for the whole deadline, and
 * take one more thread of an application that has none left.
 */
export async function fetchUnlessHanging(fetching: Fetching, breaker: Breaker): Promise<Answer> {
  const hangs = () => {
    const seconds = Math.ceil(breaker.left / 1000);
    return errors.ADAPTER_TARGET_HANGS({
      target: showTarget(fetching.target),
      since: breaker.since.toISOString(),
      seconds,
    });
  };
  if (!breaker.admit()) throw hangs();
  const trial = breaker.state === 'half-open';
  try {
    const answer = await fetchDocument(fetching);
    breaker.succeeded();
    return answer;
  } catch (error) {
    // Whatever else is wrong with it, it does not hang.
    if (!(error instanceof Fault && error.code === 'ADAPTER_TARGET_TIMEOUT')) {
      breaker.succeeded();
      throw error;
    }
    breaker.failed();
    throw trial ? hangs() : error;
  }
}

/** Without the query, which may hold what nobody else should see. */
export const showTarget = (target: URL): string => target.href.replace(/[?#].*$/s, '');

async function collect({ chunks, length, type }: Opened, limit: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    if (type !== undefined && !mayBeXml(type)) throw errors.ADAPTER_DOCUMENT_TYPE({ type });
    if (length !== undefined && length > limit) throw tooLarge(limit);
    for await (const chunk of chunks as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > limit) throw tooLarge(limit);
      parts.push(chunk);
    }
    return Buffer.concat(parts, size);
  } finally {
    // Nothing more is read from a document that is refused.
    chunks.destroy();
  }
}

const tooLarge = (limit: number) => errors.ADAPTER_DOCUMENT_TOO_LARGE({ limit: formatSize(limit) });

// Old applications send XML as text or as nothing in particular; a page for people is a login or an error.
const mayBeXml = (type: string) =>
  /^(application\/octet-stream|text\/plain|[^/]+\/(.+\+)?xml(-.*)?)$/.test(type) && type !== 'application/xhtml+xml';
