// Connecting to the application, and reading what it sends into memory that all connections share.

import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';

export type UpstreamAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** Reading is synchronous and what is read is used up or copied before the next read, so one buffer serves all. */
export const shared = Buffer.allocUnsafeSlow(131_072);
const half = shared.subarray(0, 65_536);

type Options = TcpNetConnectOpts & { readonly writableHighWaterMark: number };

/** @param onRead that many octets are in `shared`; @param roomy takes larger pieces at once */
export function dial(address: UpstreamAddress, onRead: (length: number) => void, roomy: boolean): Socket {
  const callback = (length: number) => {
    onRead(length);
    return true;
  };
  // Half-open, because an application may read the end of a body only after it has begun to answer.
  return connect({
    ...{ ...address, allowHalfOpen: true, noDelay: true, writableHighWaterMark: roomy ? 262_144 : 65_536 },
    onread: { buffer: roomy ? shared : half, callback },
  } as Options);
}
