// Where a msgpack value ends in bytes that come piece by piece. Nothing is decoded, and a length that is claimed is only a
// number: what memory a sender can make us use is what it sends.

/** Deeper ones are nobody's records. */
const deepest = 100;

export class MsgpackScan {
  readonly #limit: number;
  /** Values that are still missing in each open array and map. */
  #open: number[] = [];
  #at = 0;
  /** Where it ends is known, though its last bytes may be still to come. */
  #known = false;

  /** @param limit the longest value in bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Goes on where it stopped. Throws when it can be no value, or becomes too long.
   * @param bytes all that has come of the value
   * @returns where it ends; undefined while it has not come whole
   */
  end(bytes: Buffer, filled: number): number | undefined {
    while (!this.#known) {
      if (this.#at >= filled) return undefined;
      const size = headSize(bytes[this.#at]!);
      if (this.#at + size > filled) return undefined;
      const { items, skip } = head(bytes, this.#at);
      this.#at += size + skip;
      if (this.#at > this.#limit) throw new Error(`A message of more than ${this.#limit} bytes`);
      if (items === 0) this.#known = this.#close();
      else if (this.#open.push(items) > deepest) throw new Error(`Nested more than ${deepest} deep`);
    }
    if (this.#at > filled) return undefined;
    const end = this.#at;
    this.#at = 0;
    this.#known = false;
    return end;
  }

  /** Whether that was the last of all. */
  #close(): boolean {
    while (this.#open.length > 0) {
      const left = --this.#open[this.#open.length - 1]!;
      if (left > 0) return false;
      this.#open.pop();
    }
    return true;
  }
}

/** How many bytes say what follows. */
function headSize(first: number): number {
  if (first < 0xc0 || first >= 0xe0) return 1;
  return headSizes[first - 0xc0]!;
}

// c0 to df: nil, never used, false, true, bin 8 16 32, ext 8 16 32, float 32 64, uint 8 16 32 64, int 8 16 32 64, fixext 1 2
// 4 8 16, str 8 16 32, array 16 32, map 16 32.
const headSizes = [1, 1, 1, 1, 2, 3, 5, 3, 4, 6, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 5, 3, 5, 3, 5];

/** How many values are in it, and how many bytes follow that are none. */
function head(bytes: Buffer, at: number): { items: number; skip: number } {
  const first = bytes[at]!;
  if (first < 0x80 || first >= 0xe0) return { items: 0, skip: 0 };
  if (first < 0x90) return { items: 2 * (first & 0x0f), skip: 0 };
  if (first < 0xa0) return { items: first & 0x0f, skip: 0 };
  if (first < 0xc0) return { items: 0, skip: first & 0x1f };
  if (first === 0xc1) throw new Error('Not msgpack');
  if (first >= 0xdc) {
    const count = first % 2 === 0 ? bytes.readUInt16BE(at + 1) : bytes.readUInt32BE(at + 1);
    return { items: first >= 0xde ? 2 * count : count, skip: 0 };
  }
  return { items: 0, skip: payload(bytes, at) };
}

function payload(bytes: Buffer, at: number): number {
  switch (bytes[at]!) {
    case 0xc4:
    case 0xc7:
    case 0xd9:
      return bytes[at + 1]!;
    case 0xc5:
    case 0xc8:
    case 0xda:
      return bytes.readUInt16BE(at + 1);
    case 0xc6:
    case 0xc9:
    case 0xdb:
      return bytes.readUInt32BE(at + 1);
    case 0xcc:
    case 0xd0:
      return 1;
    case 0xcd:
    case 0xd1:
      return 2;
    case 0xca:
    case 0xce:
    case 0xd2:
      return 4;
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return 8;
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
      return 1 << (bytes[at]! - 0xd4);
    default:
      return 0;
  }
}
