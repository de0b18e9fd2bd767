// An application that takes no further connection.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { startPeer, until } from '@outrigger/core/testing';

/** An address whose kernel answers no further connection: its program has stopped, and its queue is full. */
export async function unresponsive(protocol = 'http'): Promise<AsyncDisposable & { readonly url: string }> {
  const script = `require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
    console.log('port ' + this.address().port + ' of ' + process.pid);
  })`;
  const peer = await startPeer(process.execPath, ['-e', script], { ready: /port/ });
  const port = Number(peer.stdout.match(/port (\d+)/)?.[1]);
  peer.kill('SIGSTOP');
  const queued: Socket[] = [];
  const fill = async () => {
    const socket = connect({ host: '127.0.0.1', port }).on('error', () => socket.destroy());
    queued.push(socket);
    const [outcome] = await Promise.race([
      once(socket, 'connect').then(() => ['in']),
      once(AbortSignal.timeout(300), 'abort'),
    ]);
    return outcome !== 'in';
  };
  await until(fill, { what: 'a full queue' });
  return {
    url: `${protocol}://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of queued) socket.destroy();
      peer.kill('SIGKILL');
      await peer[Symbol.asyncDispose]();
    },
  };
}
