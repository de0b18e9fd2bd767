// Four bytes at a time: a word that is read and asked at once costs as much as one byte.

/**
 * The high bit of each byte that ends a run of plain characters in JSON: a quote, a backslash, a control character. Only the
 * lowest of them is to be believed: what is above one may be marked for its sake.
 */
export function specials(word: number): number {
  // Changes places of the quote and the space, so that one comparison finds the quote and the control characters.
  const swapped = word ^ 0x02020202;
  const slash = word ^ 0x5c5c5c5c;
  return (((swapped - 0x21212121) & ~swapped) | ((slash - 0x01010101) & ~slash)) & 0x80808080;
}

/** A hash of a run, word by word: so much of it as is whole words, then what is left, in the low bytes of one, and its length. */
export function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x2c1b3c6d);
  return mixed ^ (mixed >>> 15);
}

export const finish = (hash: number, rest: number, length: number): number =>
  Math.imul(hash ^ rest ^ length, 0x297a2d39);

/** What scanning a text that is written plainly makes of it. */
export function hashOf(bytes: Buffer): number {
  const whole = bytes.length & ~3;
  let hash = 0;
  for (let at = 0; at < whole; at += 4) hash = mix(hash, bytes.readInt32LE(at));
  return finish(hash, whole === bytes.length ? 0 : bytes.readUIntLE(whole, bytes.length - whole), bytes.length);
}

/** Where the first such byte is, from a place on; the end of the bytes if there is none. */
export function firstSpecial(bytes: Uint8Array, view: DataView, start: number): number {
  const { length } = bytes;
  let p = start;
  for (const stop = length - 4; p <= stop; p += 4) {
    const found = specials(view.getInt32(p, true));
    if (found !== 0) return p + ((31 - Math.clz32(found & -found)) >> 3);
  }
  while (p < length && specials(bytes[p]! | 0x61616100) === 0) p++;
  return p;
}

/** Up to here a loop is faster than a call into the runtime. */
const short = 256;

/** Copies bytes. Up to seven behind them in `into` are not kept. */
export function copyRun(
  from: Buffer,
  view: DataView,
  start: number,
  end: number,
  into: Buffer,
  room: DataView,
  at: number,
): void {
  if (end - start > short || end + 8 > from.length) from.copy(into, at, start, end);
  else for (let p = start, to = at; p < end; p += 8, to += 8) room.setBigInt64(to, view.getBigInt64(p, true), true);
}
