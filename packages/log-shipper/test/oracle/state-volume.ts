// A small volume for the shipper's state that can be filled. It belongs to a process that does nothing but hold it, so that it
// outlives the shipper.

import { open, rm } from 'node:fs/promises';
import { cannotMount, type Peer, startPeer } from '@outrigger/core/testing';

export class StateVolume implements AsyncDisposable {
  /** What a command begins with to see the volume. */
  readonly prefix: readonly string[];
  /** The directory as the volume's holder sees it, from here. */
  readonly inside: string;
  readonly #holder: Peer;

  private constructor(holder: Peer, directory: string) {
    this.#holder = holder;
    this.prefix = ['nsenter', '--target', String(holder.pid), '--user', '--mount', '--preserve-credentials'];
    this.inside = `/proc/${holder.pid}/root${directory}`;
  }

  /** @returns the reason where it cannot be mounted. */
  static async mount(directory: string, bytes: number): Promise<StateVolume | string> {
    const reason = cannotMount();
    if (reason) return reason;
    const script = `mount -t tmpfs -o size=${bytes} tmpfs "$1" && echo ready && exec sleep infinity`;
    const unshare = ['--map-root-user', '--mount', 'sh', '-c', script, 'sh', directory];
    return new StateVolume(await startPeer('unshare', unshare, { ready: /ready/ }), directory);
  }

  async fill(): Promise<void> {
    await using file = await open(`${this.inside}/filler`, 'a');
    const zeros = Buffer.alloc(0x10000);
    try {
      for (;;) await file.write(zeros);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  async free(): Promise<void> {
    await rm(`${this.inside}/filler`, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#holder[Symbol.asyncDispose]();
  }
}
