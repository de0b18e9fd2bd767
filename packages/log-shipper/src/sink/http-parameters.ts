// What all sinks over HTTP let a user say of the transport.

import { choice, duration, integer, ParameterProblem, type Secret, secret, text } from '@outrigger/core';
import { tlsParameters } from './stream/tls.ts';

const { caFile, certificateFile, keyFile, tlsServerName } = tlsParameters;

const common = {
  compressionLevel: integer({ default: '1', min: 1, max: 9, help: 'How hard to compress: 1 costs least' }),
  caFile,
  certificateFile,
  keyFile,
  tlsServerName,
  connectTimeout: duration({ default: '10s', min: '10ms', help: 'For how long to wait for a connection' }),
  timeout: duration({
    default: '60s',
    min: '10ms',
    help: 'For how long to wait for the answer, and for each piece of the request to be taken',
  }),
};

/** For those who understand gzip only. */
export const gzipTransport = {
  compression: choice(['gzip', 'none'], { default: 'gzip', help: 'How requests are compressed' }),
  ...common,
};

export const transport = {
  compression: choice(['gzip', 'zstd', 'none'], { default: 'gzip', help: 'How requests are compressed' }),
  ...common,
};

export type Transport = {
  readonly compression: 'gzip' | 'zstd' | 'none';
  readonly compressionLevel: number;
  readonly caFile: string | undefined;
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly tlsServerName: string | undefined;
  readonly connectTimeout: number;
  readonly timeout: number;
};

/** How receivers are told who asks, where the vendor has no way of its own. */
export const credentials = {
  user: text({ optional: true, help: 'Name of the user, for basic authentication' }),
  password: secret({ optional: true, help: 'Password of the user' }),
  token: secret({ optional: true, help: 'Bearer token' }),
};

export type Credentials = {
  readonly user: string | undefined;
  readonly password: Secret | undefined;
  readonly token: Secret | undefined;
};

/**
 * Throws a ParameterProblem: half of a credential is none, and of two the receiver hears one. A user without a password is
 * fine by the protocol, and what takes a key for the user wants it so.
 */
export function checkCredentials(
  { user, password, token, apiKey }: Credentials & { readonly apiKey?: Secret | undefined },
  prefix: string,
): void {
  if (password && user === undefined) throw new ParameterProblem(`${prefix}User`, 'is needed with a password');
  const ways = { ApiKey: apiKey, Token: token, User: user };
  const [, second] = Object.entries(ways).filter(([, value]) => value !== undefined);
  if (second)
    throw new ParameterProblem(`${prefix}${second[0]}`, 'only one of a user, a token and an API key is expected');
}

/** Read with each request: a file may have been rotated. */
export function authorization({ user, password, token }: Credentials): { authorization?: string } {
  if (token) return { authorization: `Bearer ${token.read()}` };
  if (user === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${user}:${password?.read() ?? ''}`).toString('base64')}` };
}

/** A URL with more behind its path, whether or not that ends in a slash. */
export function beneath(url: URL, path: string, query: Readonly<Record<string, string | undefined>> = {}): URL {
  const whole = new URL(url);
  whole.pathname = `${whole.pathname.replace(/\/+$/, '')}${path}`;
  for (const [name, value] of Object.entries(query)) if (value !== undefined) whole.searchParams.set(name, value);
  return whole;
}
