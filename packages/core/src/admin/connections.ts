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
  /** When it last took one, or began not to take them all, by the monotonic clock. */
  slowSince: number;
};

export class Connections {
  readonly #all = new Map<Socket, Connection>();
  // Sets remember the order in which they were filled, so the first is the one that has been there longest.
  readonly #idle = new Set<Connection>();
  readonly #busy = new Set<Connection>();
  readonly #slow = new Set<Connection>();
  /** Requests that wait for the handler of one before them. */
  #queued = 0;
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
    socket.once('close', () => this.#forget(socket));
  };

  /** Undefined when it is closed already. */
  of(socket: Socket): Connection | undefined {
    return this.#all.get(socket);
  }

  #forget(socket: Socket): void {
    const connection = this.#all.get(socket);
    if (!connection) return;
    this.#all.delete(socket);
    this.#idle.delete(connection);
    this.#busy.delete(connection);
    this.#slow.delete(connection);
    this.#queued -= Math.max(0, connection.handling - 1);
    this.#waiting -= connection.waiting;
    this.#untaken -= connection.untaken;
  }

  #evict(): void {
    // Whoever is idle or slow with a request goes before whoever waits for an answer of ours, and streams go last.
    for (const order of [this.#idle, this.#busy, this.#all.values()])
      for (const first of order) {
        this.#cut(first);
        return;
      }
  }

  /** A request was answered at once. */
  touch(connection: Connection): void {
    if (this.#idle.delete(connection)) this.#idle.add(connection);
  }

  /**
   * A handler takes its time. False when too many requests wait for one already: the connection is cut off. Whoever sends
   * that many without reading an answer is no prober, and node:http keeps each of them.
   */
  begin(connection: Connection): boolean {
    if (connection.handling > 0) {
      if (connection.handling > limits.waitingRequests || this.#queued >= limits.allWaitingRequests) {
        this.#cut(connection);
        return false;
      }
      this.#queued++;
    }
    connection.handling++;
    this.#idle.delete(connection);
    this.#busy.add(connection);
    return true;
  }

  end(connection: Connection): void {
    // One that is closed is forgotten as a whole.
    if (!this.#all.has(connection.socket)) return;
    connection.handling--;
    if (connection.handling > 0) {
      this.#queued--;
      return;
    }
    connection.last = undefined;
    this.#busy.delete(connection);
    if (!connection.streaming) this.#idle.add(connection);
  }

  /**
   * Hears no more requests of it. What has been read at once may hold 2,000 of them, and node:http would make 2 KB of
   * objects for each and keep them until the connection is closed. It has no door to stop its parser: pausing or
   * destroying the socket does not, but this property is asked for each request. 1 lets the body pass by.
   */
  deafen(connection: Connection): void {
    const { socket } = connection;
    connection.deaf = true;
    const { parser } = socket as Socket & { parser?: { onIncoming: unknown } | null };
    let heard = false;
    const ignore = () => {
      // Once what has been read already is parsed: until then node:http starts it again.
      if (!heard) setImmediate(() => socket.pause());
      heard = true;
      return 1;
    };
    if (parser) parser.onIncoming = ignore;
  }

  /** Its streams are few, and have their own way to tell who is gone. */
  stream(connection: Connection): void {
    connection.streaming = true;
    this.deafen(connection);
    this.#idle.delete(connection);
  }

  /**
   * Counts an answer until its client has taken it, and cuts off whoever makes us keep too much.
   * @param body its length
   */
  count(connection: Connection, response: ServerResponse, body: number): void {
    // Without a socket it is not its turn yet: an answer before it on the same connection has not been taken.
    const waiting = response.socket === null ? 1 : 0;
    // The kernel has taken it whole.
    if (waiting === 0 && connection.socket.writableLength === 0) return;
    // Its head is some of it in any case.
    const bytes = headBytes + body;
    this.#add(connection, waiting, bytes);
    response.once('finish', () => {
      if (this.#all.get(connection.socket) === connection) this.#add(connection, -waiting, -bytes);
    });
    if (this.#waiting > limits.waitingAnswers) this.#cut(connection);
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
    // Each answer that is taken begins the time anew.
    if (bytes < 0) this.#slow.delete(connection);
    if (connection.untaken === 0 || this.#slow.has(connection)) return;
    connection.slowSince = performance.now();
    this.#slow.add(connection);
    this.#timer ??= setTimeout(this.#look, limits.lookPeriod).unref();
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
    this.deafen(connection);
    connection.socket.destroy();
    this.#forget(connection.socket);
  }
}

/** About what the head of an answer has. */
const headBytes = 256;
