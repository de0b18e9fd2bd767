import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/**
 * A port that is free now, for a peer that cannot listen on port 0, or that is to come later. It is none that the kernel
 * gives to whoever asks for any: nobody else listens there while the peer is away, and takes what is meant for it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, firstEphemeral());
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') continue;
      throw error;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}

let first: number | undefined;

function firstEphemeral(): number {
  const said = process.platform === 'linux' ? Number.parseInt(readFileSync(range, 'latin1'), 10) : 49_152;
  first ??= Math.max(said, 20_000);
  return first;
}

const range = '/proc/sys/net/ipv4/ip_local_port_range';
