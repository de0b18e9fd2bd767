// The access logs of web servers: the common and the combined log format, which nginx and Apache write alike.

import type { Fields } from './parser.ts';

// Each part ends at a character that it cannot contain, so a line that does not match is found out in one pass.
const quoted = String.raw`"((?:[^"\\]|\\.)*)"`;
const accessLine = new RegExp(
  String.raw`^(?:([^\s:]+:\d+) )?(\S+) (\S+) (.+?) \[(\d\d/[A-Za-z]{3}/[^\]]+)\] ${quoted} (\d{3}) (\d+|-)(?: ${quoted} ${quoted})?(?: (.*))?$`,
  's',
);
const requestLine = /^([A-Z]+) (\S+)(?: (HTTP\/[\d.]+))?$/;

export function readAccessLine(line: string): Fields | undefined {
  const found = accessLine.exec(line);
  if (!found) return undefined;
  const [, vhost, client, identity, user, time, request, status, bytes, referer, agent, more] = found;
  return {
    ...given('vhost', vhost),
    client,
    ...given('identity', identity),
    ...given('user', user),
    time,
    ...requested(unescaped(request!)),
    status: Number(status),
    ...(bytes !== '-' && { bytes: Number(bytes) }),
    ...given('referer', referer),
    ...given('agent', agent),
    ...given('more', more),
  };
}

/** A dash stands for nothing. */
const given = (name: string, value: string | undefined) =>
  value === undefined || value === '-' || value === '' ? undefined : { [name]: unescaped(value) };

/** What is no request, such as the beginning of a TLS handshake, stays as it was sent. */
function requested(request: string): Fields {
  const found = requestLine.exec(request);
  if (!found) return request === '-' ? {} : { request };
  const [, method, path, protocol] = found;
  return { method, path, ...(protocol && { protocol }) };
}

const letters: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', v: '\v', f: '\f', b: '\b' };

/** Both write \xHH for bytes that are not printable, so that those of one character stand side by side. */
export function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/((?:\\x[\da-fA-F]{2})+)|\\(.)/gs, (_whole, bytes: string | undefined, letter: string) =>
    bytes === undefined ? (letters[letter] ?? letter) : Buffer.from(bytes.replaceAll('\\x', ''), 'hex').toString(),
  );
}
