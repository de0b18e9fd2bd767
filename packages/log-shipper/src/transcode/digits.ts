// Numbers out of bytes that were scanned and are sound.

const minus = 0x2d;
const dot = 0x2e;
const zero = 0x30;
const nine = 0x39;
const powers = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);

/** The value of a number whose digits a double holds one by one, as nearly all are; NaN for another, which is for JSON.parse to read. */
export function readNumber(bytes: Uint8Array, start: number, end: number): number {
  const from = bytes[start] === minus ? start + 1 : start;
  // Fifteen digits and a dot: both the digits and the power of ten are exact, so that the one division rounds as it should.
  if (end - from > 16) return Number.NaN;
  let value = 0;
  let fraction = end;
  for (let p = from; p < end; p++) {
    const byte = bytes[p]!;
    if (byte === dot) fraction = p + 1;
    else if (byte > nine || byte < zero) return Number.NaN;
    else value = value * 10 + (byte - zero);
  }
  if (fraction === end && end - from > 15) return Number.NaN;
  if (fraction !== end) value /= powers[end - fraction]!;
  return from === start ? value : -value;
}
