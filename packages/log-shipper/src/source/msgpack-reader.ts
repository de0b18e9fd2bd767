// msgpack values out of bytes, as JSON would hold them. By hand, since what a sender says of lengths and depths is not to be
// believed, and a number that a double cannot hold must keep its digits.

import type { Fields, Instant } from '../records.ts';

const deepest = 100;
/** One record has no more values: an empty map is one byte for the sender and a hundred for us. */
const mostValues = 100_000;

export class MsgpackReader {
  readonly #bytes: Buffer;
  #at: number;
  readonly #end: number;
  #values = 0;

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  get at(): number {
    return this.#at;
  }

  get atEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** What comes next. */
  peek(): 'nil' | 'text' | 'array' | 'map' | 'other' {
    const first = this.#need(1)[this.#at]!;
    if (first === 0xc0) return 'nil';
    if ((first >= 0xa0 && first < 0xc0) || (first >= 0xd9 && first <= 0xdb) || (first >= 0xc4 && first <= 0xc6))
      return 'text';
    if ((first >= 0x90 && first < 0xa0) || first === 0xdc || first === 0xdd) return 'array';
    if ((first >= 0x80 && first < 0x90) || first === 0xde || first === 0xdf) return 'map';
    return 'other';
  }

  /** How many values the array has that begins here. */
  array(): number {
    if (this.peek() !== 'array') throw new Error('No array where one has to be');
    const first = this.#byte();
    return first < 0xa0 ? first & 0x0f : first === 0xdc ? this.#uint16() : this.#uint32();
  }

  /** How many pairs the map has that begins here. */
  map(): number {
    if (this.peek() !== 'map') throw new Error('No map where one has to be');
    const first = this.#byte();
    return first < 0x90 ? first & 0x0f : first === 0xde ? this.#uint16() : this.#uint32();
  }

  /** What a str or bin holds. */
  text(): Buffer {
    if (this.peek() !== 'text') throw new Error('No text where some has to be');
    const first = this.#byte();
    if (first < 0xc0) return this.#take(first & 0x1f);
    if (first === 0xc4 || first === 0xd9) return this.#take(this.#byte());
    return this.#take(first === 0xc5 || first === 0xda ? this.#uint16() : this.#uint32());
  }

  /** The bytes of the next value as they are. */
  raw(): Buffer {
    const from = this.#at;
    this.value();
    return this.#bytes.subarray(from, this.#at);
  }

  /** A record. */
  fields(): Fields {
    this.#values = 0;
    const value = this.value();
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
    throw new Error('A record that is no map');
  }

  /** When a record was made; undefined when that is no time. In version 1.5 beside what is known of the record. */
  time(): { time: Instant | undefined; metadata?: Fields } {
    if (this.peek() !== 'array') return { time: this.#instant() };
    const count = this.array();
    const time = count > 0 ? this.#instant() : undefined;
    const metadata = count > 1 && this.peek() === 'map' ? this.fields() : undefined;
    for (let index = metadata ? 2 : 1; index < count; index++) this.value();
    return { time, ...(metadata && Object.keys(metadata).length > 0 && { metadata }) };
  }

  #instant(): Instant | undefined {
    const first = this.#need(1)[this.#at]!;
    const isEvent = first === 0xd7 || (first === 0xc7 && this.#need(2)[this.#at + 1] === 8);
    if (isEvent) {
      this.#at += first === 0xd7 ? 1 : 2;
      const type = this.#byte();
      const bytes = this.#take(8);
      const [seconds, nanos] = [bytes.readUInt32BE(0), bytes.readUInt32BE(4)];
      return type === 0 && nanos < 1e9 ? { seconds, nanos } : undefined;
    }
    const value = this.value();
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0 || value > 0xffffffffff) return undefined;
    const seconds = Math.floor(value);
    return { seconds, nanos: Math.floor((value - seconds) * 1e9) };
  }

  value(depth = 0): unknown {
    if (depth > deepest) throw new Error(`Nested more than ${deepest} deep`);
    if (++this.#values > mostValues) throw new Error(`A record of more than ${mostValues} values`);
    const kind = this.peek();
    if (kind === 'text') return this.text().toString();
    if (kind === 'map') return this.#object(depth);
    if (kind === 'array') {
      const count = this.array();
      const items: unknown[] = [];
      for (let index = 0; index < count; index++) items.push(this.value(depth + 1));
      return items;
    }
    return this.#single();
  }

  #object(depth: number): Fields {
    const count = this.map();
    const fields: Record<string, unknown> = {};
    for (let index = 0; index < count; index++) {
      const key = this.value(depth + 1);
      const name = typeof key === 'string' ? key : JSON.stringify(key);
      const value = this.value(depth + 1);
      // Assigned it would be what the object inherits from.
      if (name === '__proto__')
        Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true });
      else fields[name] = value;
    }
    return fields;
  }

  #single(): unknown {
    const first = this.#byte();
    if (first < 0x80) return first;
    if (first >= 0xe0) return first - 0x100;
    if (first === 0xc0) return null;
    if (first === 0xc2 || first === 0xc3) return first === 0xc3;
    if (first >= 0xc7 && first <= 0xc9) {
      const length = first === 0xc7 ? this.#byte() : first === 0xc8 ? this.#uint16() : this.#uint32();
      return this.#extension(length);
    }
    if (first >= 0xd4 && first <= 0xd8) return this.#extension(1 << (first - 0xd4));
    return this.#number(first);
  }

  /** What only the sender knows the meaning of; EventTime as a date. */
  #extension(length: number): unknown {
    const type = this.#byte();
    const bytes = this.#take(length);
    if (type !== 0 || length !== 8) return bytes.toString('base64');
    const milliseconds = bytes.readUInt32BE(0) * 1000 + Math.floor(bytes.readUInt32BE(4) / 1e6);
    return new Date(milliseconds).toISOString();
  }

  #number(first: number): unknown {
    const size = numberSizes.get(first);
    if (size === undefined) throw new Error('Not msgpack');
    const bytes = this.#take(size);
    switch (first) {
      case 0xca:
        return finite(bytes.readFloatBE());
      case 0xcb:
        return finite(bytes.readDoubleBE());
      case 0xcf:
        return exact(bytes.readBigUInt64BE());
      case 0xd3:
        return exact(bytes.readBigInt64BE());
      default:
        return first < 0xd0 ? bytes.readUIntBE(0, size) : bytes.readIntBE(0, size);
    }
  }

  #byte(): number {
    return this.#need(1)[this.#at++]!;
  }

  #uint16(): number {
    return this.#take(2).readUInt16BE();
  }

  #uint32(): number {
    return this.#take(4).readUInt32BE();
  }

  #take(length: number): Buffer {
    const bytes = this.#need(length).subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }

  #need(length: number): Buffer {
    if (this.#at + length > this.#end) throw new Error('A message that ends too soon');
    return this.#bytes;
  }
}

const numberSizes = new Map([
  [0xca, 4],
  [0xcb, 8],
  [0xcc, 1],
  [0xcd, 2],
  [0xce, 4],
  [0xcf, 8],
  [0xd0, 1],
  [0xd1, 2],
  [0xd2, 4],
  [0xd3, 8],
]);

const exact = (value: bigint): unknown =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : JSON.rawJSON(String(value));

/** JSON has no others. */
const finite = (value: number): unknown => (Number.isFinite(value) ? value : String(value));
