// The name that a client asks for in the first message of its handshake (RFC 8446 4.1.2, RFC 6066 3), read before the
// handshake begins: Node.js can change the certificate in the middle of it, but then has one of each name only, and not an
// ECDSA one beside one of RSA.

/** Nothing is wrong so far, and the name is still to come. */
export const MORE = 0;
/** There is none, or none that can be read: OpenSSL will say what is wrong with the rest. */
export const NONE = -1;

const handshakeRecord = 0x16;
const clientHello = 1;
const serverName = 0;
const hostName = 0;
/** The longest message that is looked at; with keys of several groups one takes some 2 KiB. */
const mostHello = 16_384;

/** @param octets all that came so far. */
export function serverNameIn(octets: Buffer): string | typeof MORE | typeof NONE {
  const hello = messageIn(octets);
  return typeof hello === 'number' ? hello : nameIn(hello);
}

/** The message without its four octets of type and length; it may be spread over several records. */
function messageIn(octets: Buffer): Buffer | typeof MORE | typeof NONE {
  const parts: Buffer[] = [];
  let have = 0;
  for (let at = 0; at + 5 <= octets.length; ) {
    if (octets[at] !== handshakeRecord || octets[at + 1] !== 3) return NONE;
    const length = octets.readUInt16BE(at + 3);
    if (length === 0) return NONE;
    const part = octets.subarray(at + 5, at + 5 + length);
    parts.push(part);
    have += part.length;
    at += 5 + length;
    if (have < 4) continue;
    const message = parts.length === 1 ? part : Buffer.concat(parts);
    const end = 4 + message.readUIntBE(1, 3);
    if (message[0] !== clientHello || end > mostHello) return NONE;
    if (have >= end) return message.subarray(4, end);
  }
  // What is no handshake shows in its first octet.
  return octets.length > 0 && octets[0] !== handshakeRecord ? NONE : octets.length > 2 * mostHello ? NONE : MORE;
}

function nameIn(hello: Buffer): string | typeof NONE {
  // Version and random, then three lists: session identifier, ciphers, compression.
  let at = skip(hello, 34, 1);
  at = skip(hello, at, 2);
  at = skip(hello, at, 1);
  if (at + 2 > hello.length) return NONE;
  const end = at + 2 + hello.readUInt16BE(at);
  at += 2;
  while (at + 4 <= Math.min(end, hello.length)) {
    const type = hello.readUInt16BE(at);
    const length = hello.readUInt16BE(at + 2);
    if (type === serverName) return firstName(hello.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return NONE;
}

/** @returns the offset after a vector whose length is written in so many octets; beyond the end when it is cut. */
const skip = (hello: Buffer, at: number, octets: 1 | 2): number =>
  at + octets <= hello.length ? at + octets + hello.readUIntBE(at, octets) : hello.length + 1;

function firstName(list: Buffer): string | typeof NONE {
  if (list.length < 5 || list[2] !== hostName) return NONE;
  const length = list.readUInt16BE(3);
  return length > 0 && list.length >= 5 + length ? list.toString('latin1', 5, 5 + length) : NONE;
}
