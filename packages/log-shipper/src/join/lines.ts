// Lines as they are: what the other joins begin with.

import { Numbers } from '../numbers.ts';
import { Found } from './found.ts';
import { type Stage, Stream } from './join.ts';
import { split, stripReturns } from './split.ts';

/** Lines and their pieces. */
export const lines: Stage = (chunk, { record }) => {
  const found = new Found(chunk.bytes, { enveloped: false });
  const collected = Numbers.lend();
  found.held = split(chunk, record, collected, found.partial);
  const spans = collected.values;
  found.reserve(spans.length / 2);
  // Each ends where the next begins.
  for (let at = 0; at < spans.length; at += 2) {
    const [from, to] = [spans[at]!, spans[at + 1]!];
    found.put({ from, to, start: from, stop: spans[at + 2] ?? found.held }, nothing);
  }
  collected.giveBack();
  return found;
};

const nothing = { stream: Stream.unknown, seconds: Number.NaN, nanos: 0 };

/** Without the carriage returns that end them, whatever they came in. */
export const withoutReturns =
  (stage: Stage): Stage =>
  (...given) => {
    const found = stage(...given);
    stripReturns(found.bytes, found.spans.subarray(0, 2 * found.count), found.partial);
    return found;
  };

/** Whether a line begins with a word. */
export function beginsWith(bytes: Buffer, start: number, end: number, word: Uint8Array): boolean {
  if (end - start < word.length) return false;
  for (let at = 0; at < word.length; at++) if (bytes[start + at] !== word[at]) return false;
  return true;
}
