// A reader of MessagePack that takes no key twice: receivers disagree about which of two wins, and libraries do not tell.

export function readStrictly(bytes: Buffer): unknown[] {
  const values: unknown[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [value, end] = readValue(bytes, at);
    values.push(value);
    at = end;
  }
  return values;
}

function readValue(bytes: Buffer, at: number): [unknown, number] {
  const code = bytes[at]!;
  if (code < 0x80) return [code, at + 1];
  if (code < 0x90) return readMap(bytes, at + 1, code & 0x0f);
  if (code < 0xa0) return readList(bytes, at + 1, code & 0x0f);
  if (code < 0xc0) return readText(bytes, at + 1, code & 0x1f);
  if (code >= 0xe0) return [code - 0x100, at + 1];
  const read = readers[code];
  if (!read) throw new Error(`0x${code.toString(16)} is not expected at ${at}`);
  return read(bytes, at + 1);
}

const readers: Readonly<Record<number, (bytes: Buffer, at: number) => [unknown, number]>> = {
  192: (_, at) => [null, at],
  194: (_, at) => [false, at],
  195: (_, at) => [true, at],
  203: (bytes, at) => [bytes.readDoubleBE(at), at + 8],
  205: (bytes, at) => [bytes.readUInt16BE(at), at + 2],
  207: (bytes, at) => [bytes.readBigUInt64BE(at), at + 8],
  210: (bytes, at) => [bytes.readInt32BE(at), at + 4],
  211: (bytes, at) => [bytes.readBigInt64BE(at), at + 8],
  215: (bytes, at) => [{ seconds: bytes.readUInt32BE(at + 1), nanos: bytes.readUInt32BE(at + 5) }, at + 9],
  217: (bytes, at) => readText(bytes, at + 1, bytes.readUInt8(at)),
  218: (bytes, at) => readText(bytes, at + 2, bytes.readUInt16BE(at)),
  219: (bytes, at) => readText(bytes, at + 4, bytes.readUInt32BE(at)),
  220: (bytes, at) => readList(bytes, at + 2, bytes.readUInt16BE(at)),
  221: (bytes, at) => readList(bytes, at + 4, bytes.readUInt32BE(at)),
  222: (bytes, at) => readMap(bytes, at + 2, bytes.readUInt16BE(at)),
  223: (bytes, at) => readMap(bytes, at + 4, bytes.readUInt32BE(at)),
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function readText(bytes: Buffer, at: number, length: number): [string, number] {
  if (at + length > bytes.length) throw new Error('A text goes on behind the end');
  return [utf8.decode(bytes.subarray(at, at + length)), at + length];
}

function readList(bytes: Buffer, start: number, count: number): [unknown[], number] {
  const items: unknown[] = [];
  let at = start;
  for (let item = 0; item < count; item++) {
    const [value, end] = readValue(bytes, at);
    items.push(value);
    at = end;
  }
  return [items, at];
}

function readMap(bytes: Buffer, start: number, count: number): [Record<string, unknown>, number] {
  const members = new Map<string, unknown>();
  let at = start;
  for (let member = 0; member < count; member++) {
    const [key, behind] = readValue(bytes, at);
    if (typeof key !== 'string' || members.has(key)) throw new Error(`The key ${JSON.stringify(key)} is there twice`);
    const [value, end] = readValue(bytes, behind);
    members.set(key, value);
    at = end;
  }
  return [Object.fromEntries(members), at];
}
