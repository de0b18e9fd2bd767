// Which octets may stand where (RFC 9110, RFC 9112), as tables: one load per byte on the hot path.

export const CR = 0x0d;
export const LF = 0x0a;
export const SP = 0x20;
export const HTAB = 0x09;
export const COLON = 0x3a;
export const SLASH = 0x2f;
export const COMMA = 0x2c;
export const SEMICOLON = 0x3b;

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';

function table(members: string): Uint8Array {
  const octets = new Uint8Array(256);
  for (const member of members) octets[member.charCodeAt(0)] = 1;
  return octets;
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => String.fromCharCode(from + index)).join('');

/** Names of fields and methods. */
export const token = table(`${letters}${digits}!#$%&'*+-.^_\`|~`);

/** Inside a field value. Control characters, CR and LF are what smuggling is made of, so none passes. */
export const fieldOctet = table(`\t${range(0x20, 0x7e)}${range(0x80, 0xff)}`);

/** In a request target: no fragment, no backslash, nothing above ASCII. */
export const targetOctet = table(range(0x21, 0x7e).replace(/[#\\]/g, ''));

/** Above ASCII: not for a target, but what browsers of old send for an umlaut. */
export const highOctet = table(range(0x80, 0xff));

/** In a Host: a name, an address or an address in brackets, and a port. */
export const hostOctet = table(`${letters}${digits}-._~%!$&'()*+;=:[]`);

/** A hexadecimal digit's value, or 255. */
export const hexValue = new Uint8Array(256).fill(255);
for (const digit of '0123456789abcdefABCDEF') hexValue[digit.charCodeAt(0)] = Number.parseInt(digit, 16);

/**
 * A name's octets as applications compare them: lower case, and `_` and `.` as `-`, because CGI-like interfaces give
 * `X_Forwarded_For` and `X-Forwarded-For` the same variable.
 */
export const folded = Uint8Array.from({ length: 256 }, (_, octet) => {
  const character = String.fromCharCode(octet);
  if (character === '_' || character === '.') return 0x2d;
  return /[A-Z]/.test(character) ? octet + 0x20 : octet;
});

/** Whether buffer[start, end) is `word` (lower case) in any case. */
export function equalsIgnoringCase(buffer: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) {
    const octet = buffer[start + i]!;
    if (octet !== word[i] && (octet < 0x41 || octet > 0x5a || octet + 0x20 !== word[i])) return false;
  }
  return true;
}
