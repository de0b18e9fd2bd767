// Lines as they are: what the other joins begin with.

import { Found } from './found.ts';
import type { Stage } from './join.ts';
import { split, stripReturns } from './split.ts';

/** Lines and their pieces. */
export const lines: Stage = (chunk, { record }) => {
  const found = new Found(chunk.bytes, { enveloped: false });
  const { spans, starts, stops } = found;
  found.held = split(chunk, record, spans, found.partial);
  // Each ends where the next begins.
  for (let at = 0; at < spans.length; at += 2) {
    starts.push(spans[at]!);
    stops.push(at + 2 < spans.length ? spans[at + 2]! : found.held);
  }
  return found;
};

/** Without the carriage returns that end them, whatever they came in. */
export const withoutReturns =
  (stage: Stage): Stage =>
  (...given) => {
    const found = stage(...given);
    stripReturns(found.bytes, found.spans, found.partial);
    return found;
  };

/** Whether a line begins with a word. */
export function beginsWith(bytes: Buffer, start: number, end: number, word: Uint8Array): boolean {
  if (end - start < word.length) return false;
  for (let at = 0; at < word.length; at++) if (bytes[start + at] !== word[at]) return false;
  return true;
}
