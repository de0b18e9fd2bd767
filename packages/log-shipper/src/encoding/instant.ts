// How receivers want times.

import type { Instant } from '../records.ts';

export type TimeFormat = 'rfc3339' | 'unix' | 'unix-ms' | 'unix-ns';

/** `rfc3339` as text in UTC, `unix` as seconds with decimals, `unix-ms` as a number, `unix-ns` as digits in text: no number holds them. */
export function formatInstant({ seconds, nanos }: Instant, format: TimeFormat): string | number | { rawJSON: string } {
  const digits = String(nanos).padStart(9, '0');
  switch (format) {
    case 'rfc3339': {
      const whole = new Date(seconds * 1000).toISOString().slice(0, -5);
      return `${whole}.${nanos % 1_000_000 === 0 ? digits.slice(0, 3) : digits}Z`;
    }
    case 'unix':
      return JSON.rawJSON(`${seconds}.${nanos % 1_000_000 === 0 ? digits.slice(0, 3) : digits}`);
    case 'unix-ms':
      return seconds * 1000 + Math.floor(nanos / 1_000_000);
    case 'unix-ns':
      return nanos === 0 && seconds === 0 ? '0' : `${seconds === 0 ? '' : seconds}${digits}`;
  }
}
