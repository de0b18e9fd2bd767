// What the application is told of the client: made once per connection, except where a trusted proxy in front adds to it.

import { isIPv6 } from 'node:net';
import { kinds } from './http/field-kind.ts';
import type { RequestHead } from './http/request-head.ts';

export type ForwardedStyle = 'x-forwarded' | 'forwarded' | 'both' | 'off';

export type Identity = {
  readonly host: string;
  /** With its port, for logs. */
  readonly address: string;
  readonly protocol: 'http' | 'https';
  readonly style: ForwardedStyle;
  /** The connection comes from a proxy whose own word about the client counts. */
  readonly trusted: boolean;
  /** Header lines about the certificate of the client. */
  readonly certificate: Buffer;
  /** Why its requests are refused; see Origin. */
  readonly refusal: string | undefined;
  /** It came to the listener that sends everybody to this port. */
  readonly httpsPort: number | undefined;
  /** All lines of an ordinary client, the last of which is `X-Forwarded-Host: ` to be continued; else see `describeClient`. */
  readonly withHost: Buffer | undefined;
  readonly withoutHost: Buffer;
};

export type IdentityOptions = {
  readonly style?: ForwardedStyle;
  readonly trusted?: boolean;
  readonly certificate?: Buffer | undefined;
  readonly refusal?: string | undefined;
  readonly httpsPort?: number | undefined;
  readonly address?: string;
};

const none = Buffer.alloc(0);

export function identify(
  host: string,
  protocol: 'http' | 'https',
  {
    style = 'x-forwarded',
    trusted = false,
    certificate = none,
    refusal,
    httpsPort,
    address = host,
  }: IdentityOptions = {},
): Identity {
  const ordinary = style === 'x-forwarded' && !trusted;
  const lines = `${certificate.toString('latin1')}X-Forwarded-For: ${host}\r\nX-Forwarded-Proto: ${protocol}\r\n`;
  return {
    ...{ host, address, protocol, style, trusted, certificate, refusal, httpsPort },
    withHost: ordinary ? apart(`${lines}X-Forwarded-Host: `) : undefined,
    withoutHost: apart(lines),
  };
}

/** Not in the 64 KiB that Buffer.from shares out: they would be kept whole for as long as the connection lasts. */
function apart(lines: string): Buffer {
  const octets = Buffer.allocUnsafeSlow(lines.length);
  octets.write(lines, 'latin1');
  return octets;
}

/** The lines for one request where they are not the same for all of the connection. */
export function describeClient(buffer: Buffer, head: RequestHead, identity: Identity): Buffer {
  const { host, protocol, style, trusted, certificate } = identity;
  const received = (kind: number) => (trusted ? valuesOf(buffer, head, kind) : '');
  const authority = buffer.toString('latin1', head.hostStart, head.hostEnd);
  const lines: string[] = [];
  if (style === 'x-forwarded' || style === 'both') {
    const before = received(kinds.forwardedFor);
    lines.push(`X-Forwarded-For: ${before && `${before}, `}${host}\r\n`);
    lines.push(`X-Forwarded-Proto: ${received(kinds.forwardedProto) || protocol}\r\n`);
    const asked = received(kinds.forwardedHost) || authority;
    if (asked) lines.push(`X-Forwarded-Host: ${asked}\r\n`);
  }
  if (style === 'forwarded' || style === 'both') {
    const before = received(kinds.forwarded);
    const node = isIPv6(host) ? `"[${host}]"` : host;
    lines.push(`Forwarded: ${before && `${before}, `}for=${node};proto=${protocol}`);
    lines.push(authority ? `;host="${authority}"\r\n` : '\r\n');
  }
  return Buffer.concat([certificate, Buffer.from(lines.join(''), 'latin1')]);
}

/** All values of one kind of field as one list. */
function valuesOf(buffer: Buffer, { fields }: RequestHead, kind: number): string {
  const values: string[] = [];
  for (let i = 0; i < fields.count; i++)
    if (fields.kind[i] === kind) values.push(buffer.toString('latin1', fields.valueStart[i]!, fields.valueEnd[i]!));
  return values.filter(Boolean).join(', ');
}
