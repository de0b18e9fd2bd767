// What happened, for GET /v1/events: one bounded history that every listener reads at its own pace.

import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

/** As a listener receives it. */
export type SidecarEvent = {
  /** `<run>-<number>`: numbers start again with each run of the process, so the run is part of the id. */
  readonly id: string;
  readonly type: string;
  readonly time: string;
  readonly data: Readonly<Record<string, unknown>>;
};

/** Rendered once, written to every listener as it is. */
export type Recorded = { readonly number: number; readonly type: string; readonly frame: Buffer };

/** Where a listener goes on. `restarted`: it had listened to another run, and what it missed there is unknown. */
export type Position = { readonly next: number; readonly restarted: boolean };

const keptEvents = 1024;
const keptBytes = 1024 * 1024;
const closeMilliseconds = 500;

export class Events {
  readonly #run = randomBytes(4).toString('hex');
  readonly #history: Recorded[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #gone = Promise.withResolvers<void>();
  #bytes = 0;
  #next = 1;
  #waking = false;
  #closed = false;

  /** @param data must be JSON: it is written down at once, so that nothing that changes later changes the past */
  publish(type: string, data: object = {}): void {
    if (this.#closed) return;
    const number = this.#next++;
    const frame = this.frame(number, type, { time: new Date().toISOString(), ...data });
    this.#history.push({ number, type, frame });
    this.#bytes += frame.length;
    while (this.#history.length > keptEvents || (this.#bytes > keptBytes && this.#history.length > 1))
      this.#bytes -= this.#history.shift()!.frame.length;
    this.#wake();
  }

  /** An event in the form of a server-sent one, with the id after which a listener goes on. */
  frame(number: number, type: string, data: object): Buffer {
    return Buffer.from(`id: ${this.#run}-${number}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  // However many are published in one go, each listener is woken once.
  #wake(): void {
    if (this.#waking || this.#listeners.size === 0) return;
    this.#waking = true;
    queueMicrotask(() => {
      this.#waking = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }

  /** The number of the oldest that is kept. */
  get oldest(): number {
    return this.#history[0]?.number ?? this.#next;
  }

  /** The event of that number, or undefined when it has not happened yet. Ask for none before `oldest`. */
  at(number: number): Recorded | undefined {
    return this.#history[number - this.oldest];
  }

  /** After the event of that id. Without one, or with nonsense, from the oldest that is kept. */
  after(id: string | undefined): Position {
    const [, run, written] = /^([0-9a-f]{8})-([1-9]\d{0,15})$/.exec(id ?? '') ?? [];
    if (run !== undefined && run !== this.#run) return { next: this.oldest, restarted: true };
    const number = Number(written ?? 0);
    return { next: number > 0 && number < this.#next ? number + 1 : this.oldest, restarted: false };
  }

  /** Calls the listener after something was published, and once when this closes. Returns how to stop listening. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#closed && this.#listeners.size === 0) this.#gone.resolve();
    };
  }

  /** Nothing more will happen. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Publishes the last event, `stopped`. Resolves when every listener has left, or soon after without the slow ones. */
  async close(): Promise<void> {
    this.publish('stopped');
    this.#closed = true;
    if (this.#listeners.size === 0) return;
    await Promise.race([this.#gone.promise, delay(closeMilliseconds, undefined, { ref: false })]);
  }
}
