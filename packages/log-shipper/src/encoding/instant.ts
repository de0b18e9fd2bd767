// How receivers want times.

import { type ByteWriter, Stamp } from '../byte-writer.ts';
import type { Instant } from '../records.ts';

export type TimeFormat = 'rfc3339' | 'unix' | 'unix-ms' | 'unix-ns';

/** The years 1 to 9999: what RFC 3339 can say. */
const [earliest, latest] = [-62_135_596_800, 253_402_300_799];

/** `rfc3339` as text in UTC, `unix` as seconds with decimals, `unix-ms` as a number, `unix-ns` as digits in text: no number holds them. */
export function formatInstant(instant: Instant, format: TimeFormat): string | number | { rawJSON: string } {
  const seconds = Math.min(Math.max(instant.seconds, earliest), latest);
  const nanos = Math.min(instant.nanos, 999_999_999);
  const digits = decimals(nanos);
  switch (format) {
    case 'rfc3339':
      return `${new Date(seconds * 1000).toISOString().slice(0, -5)}.${digits}Z`;
    case 'unix': {
      // Nanoseconds count forward, also before 1970.
      const back = seconds < 0 && nanos > 0;
      return JSON.rawJSON(back ? `-${-seconds - 1}.${decimals(1e9 - nanos)}` : `${seconds}.${digits}`);
    }
    case 'unix-ms':
      return seconds * 1000 + Math.floor(nanos / 1_000_000);
    case 'unix-ns':
      return String(BigInt(seconds) * 1_000_000_000n + BigInt(nanos));
  }
}

/** Three where three say it all, as for most. */
const decimals = (nanos: number): string =>
  nanos % 1_000_000 === 0 ? String(nanos / 1_000_000).padStart(3, '0') : String(nanos).padStart(9, '0');

/** A time as a member of a JSON object. All but the digits behind the second is the same for many records in a row. */
export class InstantMember {
  readonly #name: string;
  readonly #format: TimeFormat;
  #second = Number.NaN;
  #head = new Stamp(Buffer.alloc(0));
  readonly #tail: Stamp;

  constructor(name: string, format: TimeFormat) {
    this.#name = `${JSON.stringify(name)}:`;
    this.#format = format;
    this.#tail = new Stamp(Buffer.from(format === 'rfc3339' ? 'Z"' : format === 'unix-ns' ? '"' : ''));
  }

  write(instant: Instant, into: ByteWriter): void {
    const { seconds, nanos } = instant;
    if (seconds <= 0 || seconds > latest || nanos > 999_999_999) {
      into.text(this.#name + JSON.stringify(formatInstant(instant, this.#format)));
      return;
    }
    if (seconds !== this.#second) {
      this.#second = seconds;
      this.#head = new Stamp(Buffer.from(this.#name + this.#upToSecond(seconds)));
    }
    into.stamp(this.#head);
    if (this.#format === 'unix-ms') writePadded(into, Math.floor(nanos / 1_000_000), 3);
    else if (this.#format !== 'unix-ns' && nanos % 1_000_000 === 0) writePadded(into, nanos / 1_000_000, 3);
    else writePadded(into, nanos, 9);
    into.stamp(this.#tail);
  }

  #upToSecond(seconds: number): string {
    if (this.#format === 'rfc3339') return `"${new Date(seconds * 1000).toISOString().slice(0, -4)}`;
    if (this.#format === 'unix') return `${seconds}.`;
    return this.#format === 'unix-ns' ? `"${seconds}` : `${seconds}`;
  }
}

function writePadded(into: ByteWriter, value: number, width: number): void {
  const bytes = into.reserve(width);
  let rest = value;
  for (let at = into.at + width - 1; at >= into.at; at--) {
    bytes[at] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  into.at += width;
}
