// Settled lines, `<seconds>.<9 digits> <severityNumber> <tag as JSON string, or null> <json object>\n`: what the spool has to know of
// them, and the one it writes itself.

const newline = 0x0a;
const space = 0x20;

/** What no level was found for counts as INFO: nobody said that it is worth less. */
const unknown = 9;

/** OTLP's severityNumber of the line that starts there. */
export function levelAt(lines: Buffer, start: number): number {
  let level = 0;
  // Two digits at most: a longer one is none of ours.
  for (let at = lines.indexOf(space, start) + 1, end = at + 2; at < end; at++) {
    const digit = lines[at]! - 0x30;
    if (!(digit >= 0 && digit <= 9)) break;
    level = level * 10 + digit;
  }
  return level || unknown;
}

export function countLines(lines: Buffer, from = 0): number {
  let count = 0;
  for (let start = from; start < lines.length; start = lineEnd(lines, start)) count++;
  return count;
}

/** Where the next line begins. */
export function lineEnd(lines: Buffer, start: number): number {
  const end = lines.indexOf(newline, start);
  return end === -1 ? lines.length : end + 1;
}

/** Cut behind lines so that no piece is longer than `limit`, except for a line that is. */
export function* pieces(lines: Buffer, limit: number): Generator<Buffer> {
  for (let start = 0; start < lines.length; ) {
    let end = lines.length;
    if (end - start > limit) {
      const cut = lines.lastIndexOf(newline, start + limit - 1) + 1;
      end = cut > start ? cut : lineEnd(lines, start);
    }
    yield lines.subarray(start, end);
    start = end;
  }
}

/** What was given up for want of room. */
export type Dropped = {
  readonly reason: 'oldest' | 'level';
  readonly records: number;
  readonly bytes: number;
  /** When the first and the last of it had come, in milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
};

const warning = 13;

/** Takes the place of what was dropped, so that whoever reads the log sees the gap. */
export function notice({ reason, records, bytes, from, to }: Dropped, lineField: string, now = Date.now()): Buffer {
  const [first, last] = [new Date(from).toISOString(), new Date(to).toISOString()];
  const fields = {
    [lineField]: `${records} records (${bytes} bytes) dropped from ${first} to ${last}: ${why[reason]}`,
    dropped_records: records,
    dropped_bytes: bytes,
    dropped_from: first,
    dropped_to: last,
    dropped_reason: reason,
  };
  const seconds = Math.floor(now / 1000);
  const nanos = String((now % 1000) * 1_000_000).padStart(9, '0');
  return Buffer.from(`${seconds}.${nanos} ${warning} null ${JSON.stringify(fields)}\n`);
}

const why = { oldest: 'the disk queue was full, the oldest went', level: 'the disk queue was full, low levels went' };
