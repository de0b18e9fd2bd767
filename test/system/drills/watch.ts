// What those who depend on the Pod see while it is drilled: clients, whoever changes a setting, and the receiver of its logs.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { every } from '@outrigger/core';
import { until } from '@outrigger/core/testing';
import { adminUrl, ask, type Client, client, type Demo, sidecars } from '@outrigger/example-billing/demo';

/** Milliseconds between two requests of one client, and how many clients there are. */
const pace = 40;
const clients = 2;

/** Of a drill; times in milliseconds. */
export type Seen = {
  answered: number;
  /** How often a request failed in which way. */
  readonly failed: Map<string, number>;
  /** The longest that anybody waited for an answer. */
  slowest: number;
  /** The longest that the application went on with an old setting. */
  stalest: number;
};

const nothing = (): Seen => ({ answered: 0, failed: new Map(), slowest: 0, stalest: 0 });

export class Watch implements AsyncDisposable {
  readonly #demo: Demo;
  readonly #https: Client;
  readonly #stop = new AbortController();
  readonly #working: Promise<void>[];
  #seen = nothing();
  #setting = 0;
  #asked = 0;

  static async open(demo: Demo): Promise<Watch> {
    return new Watch(demo, await client(demo));
  }

  private constructor(demo: Demo, https: Client) {
    this.#demo = demo;
    this.#https = https;
    const { signal } = this.#stop;
    this.#working = Array.from({ length: clients }, () => every(pace, signal, () => this.#ask()));
    this.#working.push(every(200, signal, () => this.#configure(signal)));
  }

  async #ask(): Promise<void> {
    const seen = this.#seen;
    const begun = performance.now();
    const outcome = await ask(this.#https, `/invoices?drill=${this.#asked++}`).then(
      ({ status }) => (status === 200 ? undefined : `status ${status}`),
      (error: NodeJS.ErrnoException) => error.code ?? error.message,
    );
    if (outcome === undefined) {
      seen.answered++;
      seen.slowest = Math.max(seen.slowest, performance.now() - begun);
    } else seen.failed.set(outcome, (seen.failed.get(outcome) ?? 0) + 1);
  }

  /** Changes a setting, and waits until the application goes by it. */
  async #configure(signal: AbortSignal): Promise<void> {
    const value = String(100 + (this.#setting++ % 900));
    await this.#demo.configure('outbox.capacity', value);
    const begun = performance.now();
    for (let now = ''; now !== value && !signal.aborted; ) {
      now = await this.#value().catch(() => '');
      // Of the drill that goes on now, though it may have begun in the one before.
      this.#seen.stalest = Math.max(this.#seen.stalest, performance.now() - begun);
    }
  }

  async #value(): Promise<string> {
    const { body } = await ask(this.#https, '/config');
    return (JSON.parse(body) as Record<string, string>)['outbox.capacity'] ?? '';
  }

  /** Begins to count anew. */
  begin(): Seen {
    this.#seen = nothing();
    return this.#seen;
  }

  /** Resolves when all is as it should be: everybody is ready, requests are answered, a change of now arrives, and so do lines. */
  async whole(deadline: number): Promise<void> {
    const { answered } = this.#seen;
    const setting = this.#setting;
    const unready = new Set<string>(sidecars);
    const ready = async () => {
      for (const name of sidecars)
        if (await isReady(adminUrl(this.#demo, name))) unready.delete(name);
        else unready.add(name);
      return unready.size === 0;
    };
    const what = () => `a whole Pod; not ready: ${[...unready].join() || 'none'}, settings ${this.#setting - setting}`;
    await until(async () => (await ready()) && this.#seen.answered > answered && this.#setting > setting + 1, {
      deadline,
      what,
    });
  }

  /** Lines of the application's log that the receiver has not got, once it has had its time. */
  async lost(deadline: number): Promise<string[]> {
    const written = await this.#written();
    const missing = () => written.filter((line) => !this.#demo.receiver.lines.has(line));
    const end = performance.now() + deadline;
    await until(() => missing().length === 0 || performance.now() > end, { deadline: deadline + 1000 });
    return missing();
  }

  async #written(): Promise<string[]> {
    const directory = this.#demo.volume('logs');
    const names = (await readdir(directory)).filter((name) => name.startsWith('billing.log'));
    try {
      const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
      return texts.flatMap((text) => text.split('\n').slice(0, -1));
    } catch (error) {
      // Rotated meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return this.#written();
    }
  }

  /** Nobody asks or changes anything any more. */
  async end(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#working);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }
}

const isReady = (url: string): Promise<boolean> =>
  fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) }).then(
    ({ ok }) => ok,
    () => false,
  );
