// Who may send: HELO, PING, PONG. Both sides show that they know the shared key without saying it, and the sender its password.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Secret } from '@outrigger/core';
import { encoded } from '../encoding/msgpack.ts';
import { MsgpackReader } from './msgpack-reader.ts';

export type Security = {
  readonly sharedKey: Secret;
  /** `name:password`, several with spaces between them. */
  readonly users: Secret | undefined;
  /** What this side calls itself; a sender of the same name refuses to talk to itself. */
  readonly hostname: string;
};

export class Handshake {
  readonly #security: Security;
  readonly #nonce = randomBytes(16);
  readonly #salt = randomBytes(16);

  constructor(security: Security) {
    this.#security = security;
  }

  get helo(): Buffer {
    const auth = this.#security.users ? bin(this.#salt) : encoded('');
    const pairs = [encoded('nonce'), bin(this.#nonce), encoded('auth'), auth, encoded('keepalive'), encoded(true)];
    return Buffer.concat([Buffer.of(0x92), encoded('HELO'), Buffer.of(0x83), ...pairs]);
  }

  /** What to answer to a PING, and whether its sender may go on. Throws when it is none. */
  answer(message: Buffer): { pong: Buffer; reason: string | undefined } {
    const reader = new MsgpackReader(message);
    if (reader.array() !== 6 || reader.text().toString() !== 'PING') throw new Error('No PING where one has to be');
    const [name, salt, digest, user, password] = [
      reader.text(),
      reader.text(),
      reader.text(),
      reader.text(),
      reader.text(),
    ];
    const reason = this.#refusal({ name, salt, digest, user, password });
    const { hostname } = this.#security;
    const proof = reason === undefined ? this.#digest(salt, Buffer.from(hostname)) : '';
    const parts = ['PONG', reason === undefined, reason ?? '', hostname, proof];
    return { pong: Buffer.concat([Buffer.of(0x95), ...parts.map((part) => encoded(part))]), reason };
  }

  #refusal({
    name,
    salt,
    digest,
    user,
    password,
  }: Readonly<Record<'name' | 'salt' | 'digest' | 'user' | 'password', Buffer>>) {
    const { hostname, users } = this.#security;
    if (name.toString() === hostname) return 'same hostname on both sides';
    if (!same(digest, this.#digest(salt, name))) return 'shared_key mismatch';
    if (!users) return undefined;
    const known = usersOf(users.read()).get(user.toString());
    // The same work is done for a name that nobody has.
    const expected = sha512(this.#salt, user, Buffer.from(known ?? ''));
    return same(password, expected) && known !== undefined ? undefined : 'username/password mismatch';
  }

  #digest = (salt: Buffer, name: Buffer) =>
    sha512(salt, name, this.#nonce, Buffer.from(this.#security.sharedKey.read()));
}

const sha512 = (...parts: readonly Buffer[]): string => {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

function same(given: Buffer, expected: string): boolean {
  const bytes = Buffer.from(expected);
  return given.length === bytes.length && timingSafeEqual(given, bytes);
}

function usersOf(written: string): Map<string, string> {
  const pairs = written.split(/\s+/).filter((pair) => pair.includes(':'));
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf(':')), pair.slice(pair.indexOf(':') + 1)]));
}

const bin = (bytes: Buffer): Buffer => Buffer.concat([Buffer.of(0xc4, bytes.length), bytes]);
