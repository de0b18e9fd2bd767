// One request and its answer on the wire. Every wait has a deadline of its own, and whatever comes from the other side ends
// in an answer or in an error: resets, half-closes, answers before the request was all sent, answers without end.

import type { ClientRequest, IncomingMessage } from 'node:http';
import { formatDuration } from '@outrigger/core';
import { HttpAnswer } from './http-answer.ts';

/** Milliseconds. */
export type Deadlines = {
  /** Until there is a connection, with TLS where that is asked for. */
  readonly connect: number;
  /** Until the other side has taken the next piece of the body. */
  readonly progress: number;
  /** From the end of the body to the end of the answer. */
  readonly response: number;
};

/** Answers of vendors take kilobytes; more is nothing that was meant for us. */
const longestAnswer = 4 * 1024 * 1024;
/** Large enough to cost nothing, small enough to see that somebody reads. */
const piece = 128 * 1024;

export function exchange(
  sent: ClientRequest,
  body: Buffer,
  { deadlines, signal, secrets }: { deadlines: Deadlines; signal: AbortSignal; secrets: readonly string[] },
): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  let timer: NodeJS.Timeout | undefined;
  const within = (milliseconds: number, what: string) => {
    clearTimeout(timer);
    timer = setTimeout(() => sent.destroy(new Error(`${what} within ${formatDuration(milliseconds)}`)), milliseconds);
  };
  const onAbort = () => sent.destroy(signal.reason as Error);
  signal.addEventListener('abort', onAbort);
  let answered = false;

  const send = (from = 0): void => {
    for (let at = from; at < body.length && !answered; at += piece) {
      within(deadlines.progress, 'nothing more of the request was taken');
      if (!sent.write(body.subarray(at, at + piece)) && at + piece < body.length)
        return void sent.once('drain', () => send(at + piece));
    }
    if (answered) return;
    sent.end();
    within(deadlines.response, 'no answer');
  };

  // A listener for good: what follows the first error must not end the process.
  sent.on('error', reject);
  // It may end without a word: then there is no error. After an answer has begun, that is told by the answer.
  sent.on('close', () => answered || reject(new Error('the connection was closed before an answer came')));
  within(deadlines.connect, 'no connection');
  sent.once('socket', (socket) => {
    const ready = 'secureConnecting' in socket && socket.secureConnecting ? 'secureConnect' : 'connect';
    if (socket.connecting || ready === 'secureConnect') socket.once(ready, () => send());
    else send();
  });
  sent.once('response', (response: IncomingMessage) => {
    answered = true;
    within(deadlines.response, 'no end of the answer');
    read(response).then(({ answer, whole }) => {
      resolve(
        new HttpAnswer({ status: response.statusCode ?? 0, headers: response.headers, body: answer, whole }, secrets),
      );
      // Nobody is to wait for the rest of the request, and no other request can follow on this connection.
      if (!sent.writableFinished || !whole) sent.destroy();
    }, reject);
  });
  if (signal.aborted) onAbort();
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  });
}

function read(response: IncomingMessage): Promise<{ answer: Buffer; whole: boolean }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ answer: Buffer; whole: boolean }>();
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= longestAnswer) chunks.push(chunk);
    else {
      resolve({ answer: Buffer.concat(chunks), whole: false });
      chunks.length = 0;
      response.destroy();
    }
  });
  response.once('end', () => resolve({ answer: Buffer.concat(chunks), whole: true }));
  response.on('error', reject);
  response.once('close', () => reject(new Error('the connection was closed in the middle of the answer')));
  return promise;
}
