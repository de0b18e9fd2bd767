// The beginning of an entry of the Forward protocol.

import type { Instant } from '../records.ts';

export const entryLength = 11;

/** An array of two, and an EventTime, fixext 8 of type 0. */
export function putEntry(bytes: Buffer, at: number, instant: Instant): void {
  bytes[at] = 0x92;
  bytes[at + 1] = 0xd7;
  bytes[at + 2] = 0;
  putTime(bytes, at, instant);
}

/** Into an entry that is there already. */
export function putTime(bytes: Buffer, at: number, { seconds, nanos }: Instant): void {
  // Seconds are unsigned and of 32 bits: nothing before 1970 or after 2106 can be said. Receivers refuse a whole second of nanoseconds.
  bytes.writeUInt32BE(Math.min(Math.max(Math.floor(seconds), 0), 0xffffffff), at + 3);
  bytes.writeUInt32BE(Math.min(nanos, 999_999_999), at + 7);
}
