// One sidecar per root. Containers of a Pod share the network namespace, so an abstract socket named after the root's
// inode is seen by all of them, needs no file and is gone with its process, however that ends.

import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { ParameterConflict } from '@outrigger/core';

/** Rejects when another one works there. */
export async function claimRoot(root: string): Promise<AsyncDisposable> {
  const { dev, ino } = await stat(root);
  const server = createServer((socket) => socket.destroy());
  // Abstract sockets are Linux's own; elsewhere there is no claim.
  if (process.platform === 'linux') {
    server.listen(`\0outrigger-git-sync-${dev}-${ino}`);
    try {
      await once(server, 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      throw new ParameterConflict('root', 'another git-sync works there', { cause: error });
    }
    server.unref();
  }
  return {
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}
