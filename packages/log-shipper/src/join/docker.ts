// A line of Docker's json-file: {"log":"content\n","stream":"stdout","time":"2016-10-06T00:17:09.669794202Z"}. Without
// the \n at its end the line goes on in the next one of its stream.
//
// Docker writes the members in this order, so as a rule the content is found by going over it once, and stays where it
// is unless it has escapes. Whatever is written otherwise is read as JSON.

import { readRfc3339 } from '../time/rfc3339.ts';
import { utc } from '../time/zone.ts';
import { decodeString } from './decode-string.ts';
import { type Content, envelopes, type Open } from './envelope.ts';
import { Stream } from './join.ts';
import { beginsWith } from './lines.ts';
import type { Tail } from './tail.ts';

const [quote, backslash, letterN, newline, brace] = [0x22, 0x5c, 0x6e, 0x0a, 0x7d];

const logIs = Buffer.from('{"log":"');
const outIs = Buffer.from('","stream":"stdout",');
const errIs = Buffer.from('","stream":"stderr",');
const timeIs = Buffer.from('"time":"');

const open: Open = (bytes, start, end, into, tail) =>
  openUsual(bytes, start, end, into, tail) || openAny(bytes.toString('utf8', start, end), into, tail);

const openUsual: Open = (bytes, start, end, into, tail) => {
  if (!beginsWith(bytes, start, end, logIs)) return false;
  const from = start + 8;
  let first = -1;
  let last = -1;
  let at = from;
  for (; at < end && bytes[at] !== quote; at++)
    if (bytes[at] === backslash) {
      if (first === -1) first = at;
      last = at++;
    }
  if (!readStreamAndTime(bytes, at, end, into)) return false;
  into.last = last !== -1 && last === at - 2 && bytes[at - 1] === letterN;
  if (first === -1 || (into.last && first === last)) {
    into.from = from;
    into.to = into.last ? at - 2 : at;
    return true;
  }
  into.from = tail.end;
  if (!decodeString(bytes, from, at, tail)) return false;
  into.to = into.last ? tail.end - 1 : tail.end;
  return true;
};

/** From the quote behind the content to the end of the line. */
function readStreamAndTime(bytes: Buffer, at: number, end: number, into: Content): boolean {
  if (beginsWith(bytes, at, end, outIs)) into.stream = Stream.stdout;
  else if (beginsWith(bytes, at, end, errIs)) into.stream = Stream.stderr;
  else return false;
  const timeEnd = end - 2;
  if (bytes[end - 1] !== brace || bytes[timeEnd] !== quote) return false;
  let from = timeEnd;
  while (from > at + 19 && bytes[from - 1] !== quote) from--;
  return (
    from - 8 >= at + 19 && beginsWith(bytes, from - 8, end, timeIs) && readRfc3339(bytes, from, timeEnd, into, utc)
  );
}

function openAny(text: string, into: Content, tail: Tail): boolean {
  const value = objectIn(text);
  if (typeof value?.log !== 'string') return false;
  const content = Buffer.from(value.log);
  into.last = content.at(-1) === newline;
  into.stream = value.stream === 'stdout' ? Stream.stdout : value.stream === 'stderr' ? Stream.stderr : Stream.unknown;
  const time = Buffer.from(typeof value.time === 'string' ? value.time : '');
  if (!readRfc3339(time, 0, time.length, into, utc)) into.seconds = Number.NaN;
  const { into: bytes, at } = tail.room(content.length);
  content.copy(bytes, at);
  into.from = tail.end;
  tail.advance(content.length);
  into.to = into.last ? tail.end - 1 : tail.end;
  return true;
}

function objectIn(text: string): { log?: unknown; stream?: unknown; time?: unknown } | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  try {
    return JSON.parse(text) as { log?: unknown; stream?: unknown; time?: unknown };
  } catch {
    return undefined;
  }
}

export const docker = envelopes(open, "Docker's json-file");
