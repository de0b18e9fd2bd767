// The connections of the admin listener: who gives way when there are too many, and who is cut off for not taking answers.

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { limits } from './limits.ts';

/** One client connection. */
export type Connection = {
  readonly socket: Socket;
  /** Requests whose handlers have not ended. */
  handling: number;
  /** Settles when the last of those has been answered. */
  last: Promise<unknown> | undefined;
  /** Carries an event stream, which takes care of itself. */
  streaming: boolean;
  /** Its last answer is under way, or never ends: what it still asks is not heard. */
  deaf: boolean;
  /** Answers that wait behind one which the client has not taken. */
  waiting: number;
  /** Bytes of answers that the client has not taken. */
  untaken: number;
  /** When it began not to take them all, by the monotonic clock. */
  slowSince: number;
};

export class Connections {
  readonly #all = new Map<Socket, Connection>();
  // Sets remember the order in which they were filled, so the first is the one that has been there longest.
  readonly #idle = new Set<Connection>();
  readonly #busy = new Set<Connection>();
  readonly #slow = new Set<Connection>();
  #waiting = 0;
  #untaken = 0;
  #timer: NodeJS.Timeout | undefined;

  /** The listener of 'connection'. A new connection is never refused: it may be a probe. */
  readonly accept = (socket: Socket): void => {
    if (this.#all.size >= limits.connections) this.#evict();
    const connection: Connection = {
      socket,
      handling: 0,
      last: undefined,
      streaming: false,
      deaf: false,
      waiting: 0,
      untaken: 0,
      slowSince: 0,
    };
    this.#all.set(socket, connection);
    this.#idle.add(connection);
    socket.once('close', this.#closed);
  };

  /** Undefined when it is closed already. */
  of(socket: Socket): Connection | undefined {
    return this.#all.get(socket);
  }

  readonly #closed = this.#makeClosed();

  // One function for all sockets: `this` is the socket that closed.
  #makeClosed(): (this: Socket) => void {
    const forget = (socket: Socket) => this.#forget(socket);
    return function closed() {
      forget(this);
    };
  }

  #forget(socket: Socket): void {
    const connection = this.#all.get(socket);
    if (!connection) return;
    this.#all.delete(socket);
    this.#idle.delete(connection);
    this.#busy.delete(connection);
    this.#slow.delete(connection);
    this.#waiting -= connection.waiting;
    this.#untaken -= connection.untaken;
  }

  #evict(): void {
    // Whoever is idle or slow with a request goes before whoever waits for an answer of ours.
    const [first] = [this.#idle, this.#busy, this.#all.values()].find((each) => !('size' in each) || each.size > 0)!;
    this.#cut(first!);
  }

  /** A request was answered at once. */
  touch(connection: Connection): void {
    this.#idle.delete(connection);
    this.#idle.add(connection);
  }

  /** A handler takes its time. */
  begin(connection: Connection): void {
    connection.handling++;
    this.#idle.delete(connection);
    this.#busy.add(connection);
  }

  end(connection: Connection): void {
    connection.handling--;
    if (connection.handling > 0 || connection.socket.destroyed) return;
    connection.last = undefined;
    this.#busy.delete(connection);
    if (!connection.streaming) this.#idle.add(connection);
  }

  /** Its streams are few, and have their own way to tell who is gone. */
  stream(connection: Connection): void {
    connection.streaming = true;
    connection.deaf = true;
    this.#idle.delete(connection);
  }

  /** Counts an answer until its client has taken it, and cuts off whoever makes us keep too much. */
  count(connection: Connection, response: ServerResponse, bytes: number): void {
    // Without a socket it is not its turn yet: an answer before it on the same connection has not been taken.
    const waiting = response.socket === null ? 1 : 0;
    // The kernel has taken it whole.
    if (waiting === 0 && connection.socket.writableLength === 0) return;
    this.#add(connection, waiting, bytes);
    response.once('finish', () => {
      if (this.#all.get(connection.socket) === connection) this.#add(connection, -waiting, -bytes);
    });
    if (this.#waiting > limits.waitingAnswers) connection.socket.destroy();
    // The first is the slowest.
    for (const slow of this.#slow) {
      if (this.#untaken <= limits.untakenBytes) break;
      if (slow !== connection) this.#cut(slow);
    }
  }

  #add(connection: Connection, waiting: number, bytes: number): void {
    this.#waiting += waiting;
    this.#untaken += bytes;
    connection.waiting += waiting;
    connection.untaken += bytes;
    if (connection.waiting + connection.untaken === 0) this.#slow.delete(connection);
    else if (!this.#slow.has(connection)) {
      connection.slowSince = performance.now();
      this.#slow.add(connection);
      this.#timer ??= setTimeout(this.#look, limits.lookPeriod).unref();
    }
  }

  readonly #look = (): void => {
    const latest = performance.now() - limits.answerTime;
    for (const slow of this.#slow) {
      if (slow.slowSince > latest) break;
      this.#cut(slow);
    }
    this.#timer = this.#slow.size > 0 ? setTimeout(this.#look, limits.lookPeriod).unref() : undefined;
  };

  #cut(connection: Connection): void {
    connection.socket.destroy();
    this.#forget(connection.socket);
  }
}
