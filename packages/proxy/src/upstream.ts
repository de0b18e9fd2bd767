// One connection to the application, in use by one exchange or idle.

import type { Socket } from 'node:net';
import { dial, shared, type UpstreamAddress } from './dial.ts';
import { writeTogether } from './gather.ts';

/** Whoever uses the connection at the moment. */
export type UpstreamUser = {
  /** buffer[from, end) was read; the buffer is read into again afterwards, so what is kept must be copied. */
  onUpstreamData(buffer: Buffer, from: number, end: number): void;
  onUpstreamConnect(): void;
  onUpstreamDrain(): void;
  /** The application will send no more. */
  onUpstreamEnd(): void;
  onUpstreamClose(error: NodeJS.ErrnoException | undefined): void;
};

/** What the pool wants to know of its connections. */
export type Keeper = {
  /** The connection is not good any more; `unasked` when it was idle and sent something. */
  onGone(connection: Upstream, unasked: boolean): void;
  onConnected(): void;
  onFailed(error: NodeJS.ErrnoException): void;
  /** Calls `flush` once everything that the kernel has already reported has been seen. */
  afterPoll(connection: Upstream): void;
};

export class Upstream {
  readonly #socket: Socket;
  readonly #keeper: Keeper;
  #user: UpstreamUser | undefined;
  #held: Buffer | undefined;
  #paused = false;
  #error: NodeJS.ErrnoException | undefined;
  connected = false;
  /** Has carried a request before. */
  reused = false;
  idleSince = 0;

  constructor(address: UpstreamAddress, keeper: Keeper, user: UpstreamUser, roomy = false) {
    this.#keeper = keeper;
    this.#user = user;
    this.#socket = dial(address, (length) => this.#read(length), roomy)
      .on('connect', () => this.#connect())
      .on('drain', () => this.#user?.onUpstreamDrain())
      .on('end', () => this.#end())
      .on('error', (error) => {
        this.#error = error;
      })
      .on('close', () => this.#close());
  }

  #connect(): void {
    this.connected = true;
    this.#keeper.onConnected();
    this.#user?.onUpstreamConnect();
  }

  #read(length: number): void {
    // Before the request has left, there is nothing that this could be the response to.
    if (this.#user && !this.unsent) this.#user.onUpstreamData(shared, 0, length);
    else this.#discard(true);
  }

  #end(): void {
    if (this.#user) this.#user.onUpstreamEnd();
    else this.#discard(false);
  }

  // Octets on an idle connection would become the next client's response. A user that waits hears of the close.
  #discard(unasked: boolean): void {
    this.#keeper.onGone(this, unasked);
    this.#socket.destroy();
  }

  #close(): void {
    if (!this.connected && this.#error) this.#keeper.onFailed(this.#error);
    this.#keeper.onGone(this, false);
    const user = this.#user;
    this.#user = undefined;
    user?.onUpstreamClose(this.#error);
  }

  /** From idle into use. */
  use(user: UpstreamUser): void {
    this.#user = user;
    this.reused = true;
  }

  /** Out of use. */
  leave(): void {
    this.#user = undefined;
  }

  /** Hands the connection from one user to another in the middle of its use. */
  pass(user: UpstreamUser): void {
    this.#user = user;
  }

  /**
   * The first octets of a request. On a reused connection they wait until the events of this turn are over: a FIN or
   * stray octets that have arrived already are then seen before the request is sent into them.
   */
  begin(octets: Buffer): void {
    if (this.reused) {
      this.#held = octets;
      this.#keeper.afterPoll(this);
    } else this.#socket.write(octets);
  }

  /** The first octets have not been sent yet, so they can go elsewhere whatever they are. */
  get unsent(): boolean {
    return this.#held !== undefined;
  }

  flush(): void {
    const held = this.#held;
    if (!held || this.#socket.destroyed) return;
    this.#held = undefined;
    this.#socket.write(held);
  }

  /** Returns false when the application is slower than the client; onUpstreamDrain follows. @param written called then. */
  write(octets: Buffer, written?: (error?: Error | null) => void): boolean {
    const held = this.#held;
    this.#held = undefined;
    if (held) writeTogether(this.#socket, held);
    return writeTogether(this.#socket, octets, written);
  }

  end(): void {
    this.#socket.end();
  }

  get needsDrain(): boolean {
    return this.#socket.writableNeedDrain;
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  /** Drops the connection, and whoever uses it hears no more of it. */
  destroy(): void {
    this.#user = undefined;
    this.#socket.destroy();
  }
}
