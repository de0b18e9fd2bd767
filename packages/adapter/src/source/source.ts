// Where a document comes from. A member opens it and says what it knows about it; deadline, limits, emptiness and metrics
// are fetch.ts's, around every member.

import type { Readable } from 'node:stream';
import type { Secret } from '@outrigger/core';
import type { TlsFiles } from '@outrigger/core/tls-files';

export type Credentials = {
  readonly user?: string | undefined;
  readonly password?: Secret | undefined;
  readonly token?: Secret | undefined;
  /** For https: whom to trust, and the client certificate. */
  readonly tls?: TlsFiles | undefined;
};

export type Request = {
  readonly target: URL;
  /** How the target is called in messages. */
  readonly shown: string;
  readonly credentials: Credentials;
  /** Aborts at the deadline: whatever is open is closed then. */
  readonly signal: AbortSignal;
};

export type Opened = {
  /** Ends with the document; destroyed when enough is known. */
  readonly chunks: Readable;
  readonly length?: number | undefined;
  /** Media type without parameters, lower case. */
  readonly type?: string | undefined;
  readonly charset?: string | undefined;
};

export type Source = {
  readonly summary: string;
  readonly schemes: readonly string[];
  readonly example: string;
  /** What is wrong with a target of this scheme, or undefined. */
  check(target: URL): string | undefined;
  /** Throws a Fault, or any Error for "cannot be reached". */
  open(request: Request): Promise<Opened>;
};
