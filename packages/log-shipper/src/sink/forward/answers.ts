// What a receiver says: msgpack values of a few kinds, all of them small. A general decoder would make room for whatever
// length a peer claims.

/** More than any answer needs: a peer that says more without coming to an end speaks something else. */
const most = 64 * 1024;
const deepest = 8;

class Incomplete extends Error {}

const noAnswer = () => new Error('the receiver says what is no answer');

export class Answers {
  #held = Buffer.alloc(0);

  /** The values that are complete by now; nil is undefined. Throws when it is nothing that a receiver says. */
  take(bytes: Buffer): unknown[] {
    const reader = new Reader(this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]));
    const values: unknown[] = [];
    while (reader.left > 0) {
      const { at } = reader;
      try {
        values.push(reader.value());
      } catch (error) {
        if (!(error instanceof Incomplete)) throw error;
        reader.at = at;
        break;
      }
    }
    if (reader.left > most) throw noAnswer();
    this.#held = Buffer.from(reader.bytes.subarray(reader.at));
    return values;
  }
}

class Reader {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  #raw(length: number): Buffer {
    if (this.left < length) throw new Incomplete();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  #unsigned(width: number): number {
    return this.#raw(width).readUIntBE(0, width);
  }

  #text(length: number): string {
    return this.#raw(length).toString('utf8');
  }

  value(depth = 0): unknown {
    if (depth > deepest) throw noAnswer();
    const kind = this.#unsigned(1);
    if (kind < 0x80) return kind;
    if (kind < 0x90) return this.#map(kind & 0x0f, depth);
    if (kind < 0xa0) return this.#array(kind & 0x0f, depth);
    if (kind < 0xc0) return this.#text(kind & 0x1f);
    if (kind >= 0xe0) return kind - 0x100;
    return this.#wide(kind, depth);
  }

  #wide(kind: number, depth: number): unknown {
    switch (kind) {
      case 0xc0:
        return undefined;
      case 0xc2:
      case 0xc3:
        return kind === 0xc3;
      case 0xc4:
      case 0xc5:
        return Buffer.from(this.#raw(this.#unsigned(kind - 0xc3)));
      case 0xca:
        return this.#raw(4).readFloatBE();
      case 0xcb:
        return this.#raw(8).readDoubleBE();
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#unsigned(2 ** (kind - 0xcc));
      case 0xcf:
        return Number(this.#raw(8).readBigUInt64BE());
      case 0xd0:
      case 0xd1:
      case 0xd2:
        return this.#raw(2 ** (kind - 0xd0)).readIntBE(0, 2 ** (kind - 0xd0));
      case 0xd3:
        return Number(this.#raw(8).readBigInt64BE());
      case 0xd9:
      case 0xda:
        return this.#text(this.#unsigned(kind - 0xd8));
      case 0xdc:
        return this.#array(this.#unsigned(2), depth);
      case 0xde:
        return this.#map(this.#unsigned(2), depth);
      default:
        throw noAnswer();
    }
  }

  #array(length: number, depth: number): unknown[] {
    const items: unknown[] = [];
    while (items.length < length) items.push(this.value(depth + 1));
    return items;
  }

  #map(length: number, depth: number): Record<string, unknown> {
    // Without a prototype no key means anything by itself.
    const map: Record<string, unknown> = Object.create(null);
    for (let index = 0; index < length; index++) {
      const key = this.value(depth + 1);
      if (typeof key !== 'string') throw noAnswer();
      map[key] = this.value(depth + 1);
    }
    return map;
  }
}
