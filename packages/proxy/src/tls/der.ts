// Just enough of DER to read what Node.js does not tell of a certificate or a revocation list: octets, never text that
// could be read in two ways. Whatever is not as it should be throws.

export const tags = {
  integer: 0x02,
  oid: 0x06,
  utf8: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universal: 0x1c,
  bmp: 0x1e,
} as const;

export type Der = {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag and length included. */
  readonly whole: Buffer;
};

/** The element that begins there. */
function elementAt(buffer: Buffer, at: number): Der {
  const tag = buffer[at];
  const short = buffer[at + 1];
  if (tag === undefined || short === undefined || (tag & 0x1f) === 0x1f)
    throw new Error('DER ends or is not supported');
  const octets = short < 0x80 ? 0 : short & 0x7f;
  // Without a length (0x80) it would not be DER; four octets are more than any certificate has.
  if (short === 0x80 || octets > 4 || at + 2 + octets > buffer.length) throw new Error('DER has a wrong length');
  const length = octets === 0 ? short : buffer.readUIntBE(at + 2, octets);
  const start = at + 2 + octets;
  if (start + length > buffer.length) throw new Error('DER is cut off');
  return { tag, content: buffer.subarray(start, start + length), whole: buffer.subarray(at, start + length) };
}

/** The only element. */
export function onlyElement(buffer: Buffer): Der {
  const element = elementAt(buffer, 0);
  if (element.whole.length !== buffer.length) throw new Error('DER goes on after its end');
  return element;
}

/** The elements within one. */
export function elementsOf({ content }: Pick<Der, 'content'>): Der[] {
  const elements: Der[] = [];
  for (let at = 0; at < content.length; at += elements.at(-1)!.whole.length) elements.push(elementAt(content, at));
  return elements;
}

/** `2.5.4.3`, as hexadecimal digits of its DER: `550403`. */
export const oidOf = ({ content }: Der): string => content.toString('hex');

/** A string of any type that names use. */
export function textOf({ tag, content }: Der): string {
  if (tag === tags.utf8) return content.toString('utf8');
  if (tag === tags.bmp) return Buffer.from(content).swap16().toString('utf16le');
  // UTF-32 in a name is not seen in the wild: its digits are enough to tell it from others.
  return tag === tags.universal ? content.toString('hex') : content.toString('latin1');
}

export type Attribute = { readonly oid: string; readonly value: string };

/** What a distinguished name is made of, in its order. */
export const attributesOf = (name: Der): Attribute[] =>
  elementsOf(name).flatMap((set) =>
    elementsOf(set).map((attribute) => {
      const [oid, value] = elementsOf(attribute);
      if (!oid || !value) throw new Error('DER of a name lacks a part');
      return { oid: oidOf(oid), value: textOf(value) };
    }),
  );

/** Equal for names that OpenSSL takes for the same: neither case nor the type of a string matters to it. */
export const nameKey = (name: Der): string =>
  attributesOf(name)
    .map(({ oid, value }) => JSON.stringify([oid, value.trim().replace(/\s+/g, ' ').toLowerCase()]))
    .join();

/** UTCTime or GeneralizedTime, both in UTC. */
export function timeOf({ tag, content }: Der): Date {
  const text = content.toString('latin1');
  const century = tag === tags.generalizedTime ? '' : Number(text.slice(0, 2)) < 50 ? '20' : '19';
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(century + text) ?? [];
  const [year, month, ...rest] = parts.map(Number);
  const date = new Date(Date.UTC(year ?? Number.NaN, (month ?? 0) - 1, ...rest));
  // Date.UTC takes the 31st of February for one of March, which OpenSSL does not.
  if (Number.isNaN(date.getTime()) || digitsOf(date) !== parts.join(''))
    throw new Error('DER has a time that cannot be read');
  return date;
}

const digitsOf = (date: Date) => date.toISOString().slice(0, 19).replace(/\D/g, '');

/** For people: `Example, Root`. */
export const readableName = (name: Der): string =>
  attributesOf(name)
    .map(({ value }) => value)
    .join(', ');
