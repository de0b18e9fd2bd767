// A line as containerd and CRI-O write it: 2016-10-06T00:17:09.669794202Z stdout F content. P in place of F says that
// the line goes on in the next one of its stream.

import { readRfc3339 } from '../time/rfc3339.ts';
import { utc } from '../time/zone.ts';
import { kernelOf, splitFrom } from '../transcode/kernel.ts';
import { envelopes, type Open, type OpenMany } from './envelope.ts';
import { Stream } from './join.ts';

const space = 0x20;

const open: Open = (bytes, start, end, into) => {
  // No time of this kind is shorter than 20 bytes or longer than 35.
  let at = start + 20;
  while (at < start + 36 && at < end && bytes[at] !== space) at++;
  // std, out or err, a space and a letter.
  if (
    at + 8 >= end ||
    bytes[at + 7] !== space ||
    bytes[at + 1] !== 0x73 ||
    bytes[at + 2] !== 0x74 ||
    bytes[at + 3] !== 0x64
  )
    return false;
  if (bytes[at + 4] === 0x6f && bytes[at + 5] === 0x75 && bytes[at + 6] === 0x74) into.stream = Stream.stdout;
  else if (bytes[at + 4] === 0x65 && bytes[at + 5] === 0x72 && bytes[at + 6] === 0x72) into.stream = Stream.stderr;
  else return false;
  const tag = bytes[at + 8];
  if (tag !== 0x46 && tag !== 0x50) return false;
  // Further tags may follow behind colons.
  let tagEnd = at + 9;
  if (tagEnd < end && bytes[tagEnd] === 0x3a) while (tagEnd < end && bytes[tagEnd] !== space) tagEnd++;
  if (tagEnd < end && bytes[tagEnd] !== space) return false;
  if (!readRfc3339(bytes, start, at, into, utc)) return false;
  into.last = tag === 0x46;
  into.from = Math.min(tagEnd + 1, end);
  into.to = end;
  return true;
};

/** Of so few bytes that opening them one by one costs less. */
const few = 0x400;

/** By the kernel, which leaves what is no usual line. */
const openMany: OpenMany = (bytes, start, limit, into) => {
  const kernel = bytes.length - start < few ? undefined : kernelOf();
  if (!kernel) return start;
  for (let at = start; ; ) {
    const count = splitFrom(kernel, bytes, at, at, bytes.length);
    const opened = kernel.exports.unwrap(count, at, limit);
    if (opened === 0) return at;
    into.putMany(opened, kernel);
    at = into.stops[into.count - 1]!;
    if (opened < count) return at;
  }
};

export const cri = envelopes(open, 'a container log', openMany);
