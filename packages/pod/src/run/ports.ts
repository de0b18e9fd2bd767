// The ports of a Pod: refused when somebody else has them, shown when the Pod is ready.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

export type PodPort = {
  readonly container: string;
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly url: string;
};

/** One line for each port that is taken. */
export async function busyPorts(ports: readonly PodPort[]): Promise<string[]> {
  const reasons = await Promise.all(ports.map(async (port) => ({ port, reason: await refusal(port) })));
  return reasons.flatMap(({ port, reason }) =>
    reason ? [`Port ${port.port} (${port.name}) of container ${port.container} ${reason}`] : [],
  );
}

async function refusal({ port, protocol }: PodPort): Promise<string | undefined> {
  // All addresses of both families: what has any of them is in the way.
  for (const host of ['::', '0.0.0.0']) {
    try {
      await (protocol === 'UDP' ? bindUdp(port, host) : bindTcp(port, host));
      return undefined;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE') return 'is already in use on this machine';
      if (code === 'EACCES') return 'needs more rights than this user has: it is under 1024';
      // This machine has no IPv6.
    }
  }
  return undefined;
}

async function bindTcp(port: number, host: string): Promise<void> {
  const server = createServer().listen({ port, host, exclusive: true });
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

async function bindUdp(port: number, address: string): Promise<void> {
  const socket = createSocket(address === '::' ? 'udp6' : 'udp4').bind({ port, address, exclusive: true });
  await once(socket, 'listening');
  socket.close();
  await once(socket, 'close');
}

/** Container, name, URL: one line each. */
export function portTable(ports: readonly PodPort[]): string {
  const rows = ports.map(({ container, name, url }) => [container, name, url] as const);
  const width = (column: 0 | 1) => Math.max(...rows.map((row) => row[column].length));
  const [first, second] = [width(0), width(1)];
  return rows
    .map(([container, name, url]) => `  ${container.padEnd(first)}  ${name.padEnd(second)}  ${url}`)
    .join('\n');
}
