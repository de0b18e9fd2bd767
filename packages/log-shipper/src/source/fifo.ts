// A named pipe that the application writes to as if it were a log file. It is held open for reading and writing: with a
// reader there at all times the application never gets SIGPIPE, and with a writer there is never an end.

import { close, constants, fstat, open, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { promisify } from 'node:util';
import { choice, every, type Log, path, reasonOf } from '@outrigger/core';
import type { Intake } from '../intake.ts';
import { LineStream, Unfinished } from './line-stream.ts';
import { definePushSource, leaving } from './push.ts';
import type { Trouble } from './source.ts';

export const fifo = definePushSource({
  summary: 'A named pipe that the application writes to',
  parameters: {
    path: path({ help: 'The pipe, made with mkfifo; may not be there yet', example: '/run/logs/app.fifo' }),
    whenFull: choice(['wait', 'drop'], {
      default: 'wait',
      help: 'When the disk queue is full: stop reading, which makes the application wait, or drop and count lines',
    }),
  },

  async open({ parameters, log, intake }) {
    const pipe = new Pipe({ ...parameters, log, intake });
    await pipe.start();
    return pipe;
  },
});

type Options = {
  readonly path: string;
  readonly whenFull: 'wait' | 'drop';
  readonly log: Log;
  readonly intake: Intake;
};

/** How often it is looked whether the pipe is there, or is another, in milliseconds. */
const period = 1000;

type Reading = { readonly stats: Stats; readonly socket: Socket; readonly done: Promise<void> };

class Pipe implements AsyncDisposable {
  readonly listening: string;
  readonly #options: Options;
  readonly #stopping = new AbortController();
  readonly #ending = new AbortController();
  #looking: Promise<void> | undefined;
  #reading: Reading | undefined;
  #trouble: string | undefined;
  #waits = false;

  constructor(options: Options) {
    this.#options = options;
    this.listening = options.path;
  }

  async start(): Promise<void> {
    await this.#look();
    this.#looking = every(period, this.#stopping.signal, () => this.#look());
  }

  get troubles(): Trouble[] {
    const reason = this.#trouble ?? (this.#waits ? 'the application waits for room in the disk queue' : undefined);
    return reason === undefined ? [] : [{ path: this.listening, reason }];
  }

  /** Opens it once it is there, and again when another was put in its place. */
  async #look(): Promise<void> {
    const { path, log } = this.#options;
    try {
      const stats = await stat(path);
      const { dev, ino } = this.#reading?.stats ?? {};
      if (dev === stats.dev && ino === stats.ino) return;
      await this.#close();
      await this.#open();
      this.#trouble = undefined;
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== this.#trouble) log.warn('The pipe cannot be read', { path, reason });
      this.#trouble = reason;
    }
  }

  async #open(): Promise<void> {
    const { path } = this.#options;
    // Without waiting: what is there may be no pipe, or become one of somebody else's.
    const fd = await promisify(open)(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stats = await promisify(fstat)(fd);
    if (!stats.isFIFO()) {
      await promisify(close)(fd);
      throw new Error('is no named pipe; make one with mkfifo');
    }
    // The kernel tells when there is something in it: reading it as a file would hold a thread for as long as there is not.
    const socket = new Socket({ fd, readable: true, writable: false });
    this.#reading = { stats, socket, done: this.#read(socket) };
  }

  async #read(socket: Socket): Promise<void> {
    const { intake, log, path, whenFull } = this.#options;
    const lines = new LineStream({
      intake,
      whenFull,
      from: { source: 'fifo' },
      unfinished: new Unfinished(),
      signal: this.#ending.signal,
      waiting: (begun) => {
        this.#waits = begun;
      },
    });
    try {
      await lines.read(socket);
    } catch (error) {
      if (!this.#ending.signal.aborted) log.warn('The pipe cannot be read', { path, reason: reasonOf(error) });
    }
    if (lines.lost > 0)
      log.warn('Lines were received and there was no room for them', { source: 'fifo', bytes: lines.lost });
  }

  /** Takes what is in it first. */
  async #close(): Promise<void> {
    const reading = this.#reading;
    if (!reading) return;
    const end = performance.now() + leaving.most;
    for (let before = -1; reading.socket.bytesRead !== before && performance.now() < end; ) {
      before = reading.socket.bytesRead;
      await after(leaving.quiet);
    }
    reading.socket.destroy();
    if (this.#stopping.signal.aborted) this.#ending.abort();
    await reading.done;
    this.#reading = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#looking;
    await this.#close();
  }
}
