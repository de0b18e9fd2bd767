// Whether the peers that parameters name can be connected to. For --check only: a start waits for nobody.

import { connect, type Socket } from 'node:net';
import { connectable, makeAddress } from '../address.ts';
import { memberOf } from './changes.ts';
import type { OpenParameters } from './open-parameters.ts';
import type { Parameter, Peer } from './parameter.ts';
import type { Problem } from './problem.ts';
import { redacted } from './redact.ts';

const patience = 3000;

export type Reached = Omit<Problem, 'message'> & {
  /** Why it cannot be reached. */
  readonly message?: string | undefined;
  /** It may be the application beside, which may well start later. */
  readonly beside: boolean;
};

/** One for each peer of each parameter with `reach: true`, all tried at once, within 3 seconds. Never rejects. */
export function reachPeers({
  entries,
  values,
  effective,
}: Pick<OpenParameters, 'entries' | 'values' | 'effective'>): Promise<Reached[]> {
  const tried = entries.flatMap(({ key, flags, owner, parameter }) => {
    const value = owner ? memberOf(owner.entry.key, owner.member, values)?.parameters[owner.key] : values[key];
    return peersIn(parameter, value).map(async ({ peer, written }) => ({
      parameter: flags[0]!,
      value: redacted(written),
      source: effective[key]?.source,
      message: await reach(peer),
      beside: isBeside(peer),
    }));
  });
  return Promise.all(tried);
}

/** A list's and a mapping's are taken apart again. */
function peersIn({ peers, format, repeatable }: Parameter<unknown>, value: unknown) {
  if (!peers || value === undefined) return [];
  const items: readonly unknown[] = !repeatable
    ? [value]
    : Array.isArray(value)
      ? value
      : Object.entries(value as object);
  return items.flatMap((item) => peers(item).map((peer) => ({ peer, written: format(item) })));
}

function isBeside(peer: Peer): boolean {
  return 'path' in peer || /^(localhost|127(\.\d+){3}|::1|0\.0\.0\.0|::)$/.test(peer.host);
}

/** Why it cannot be reached, or undefined. */
function reach(peer: Peer): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  let socket: Socket | undefined;
  const timer = setTimeout(() => resolve(`no answer within ${patience / 1000}s`), patience);
  try {
    socket = connect('path' in peer ? peer : connectable(makeAddress(peer.host, peer.port)));
    socket.on('connect', () => resolve(undefined)).on('error', (error) => resolve(explain(error, peer)));
  } catch (error) {
    resolve((error as Error).message);
  }
  return promise.finally(() => {
    clearTimeout(timer);
    socket?.destroy();
  });
}

function explain(
  error: NodeJS.ErrnoException & { readonly errors?: readonly NodeJS.ErrnoException[] },
  peer: Peer,
): string {
  // A name with several addresses fails with the errors of all.
  const { code, message } = error.errors?.[0] ?? error;
  const name = 'host' in peer ? peer.host : peer.path;
  switch (code) {
    case 'ENOTFOUND':
      return `DNS knows no ${name}`;
    case 'EAI_AGAIN':
      return `DNS does not answer for ${name}`;
    case 'ECONNREFUSED':
      return 'nobody listens there';
    case 'ENOENT':
      return 'no such socket';
    case 'EACCES':
      return 'no permission to connect to it';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'there is no way to that network';
    default:
      return message || String(code);
  }
}
