// Clients that behave, and remember what became of each of their requests.

import { Broken, type ClientOptions, HttpClient, requestOf } from './client.ts';

export type Lost = { readonly name: string; readonly began: boolean; readonly cause: string };

export class Load implements Disposable {
  readonly #options: ClientOptions;
  readonly #open = new Set<HttpClient>();
  readonly #working: Promise<void>[] = [];
  /** Names of the requests whose whole response came. */
  readonly completed = new Set<string>();
  /** Those whose response never came, or not whole. */
  readonly lost: Lost[] = [];
  /** Connections that were refused or ended before anything was asked on them. */
  refused: string[] = [];
  /** What a response was that it should not have been. */
  readonly wrong: string[] = [];
  /** Responses that said that the connection closes. */
  closing = 0;
  /** No more requests. */
  over = false;
  #named = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Starts so many workers; `finished` waits for them. */
  start(count: number, work: (load: Load) => Promise<void>): void {
    for (let i = 0; i < count; i++) this.#working.push(work(this));
  }

  async finished(): Promise<void> {
    await Promise.all(this.#working);
  }

  name = (kind: string): string => `${this.#named++ % 10}${kind}${this.#named}`;

  /** Undefined when the server takes no connection. */
  async open(): Promise<HttpClient | undefined> {
    try {
      const client = await HttpClient.open(this.#options);
      this.#open.add(client);
      client.socket.on('close', () => this.#open.delete(client));
      return client;
    } catch (error) {
      this.refused.push((error as NodeJS.ErrnoException).code ?? (error as Error).message);
      return undefined;
    }
  }

  /**
   * Reads the response to a request that was sent. Returns whether the connection may be used again.
   * @param body what it has to be, or how many octets that are the name's first
   */
  async take(client: HttpClient, name: string, body: string | number, pause?: () => Promise<void>): Promise<boolean> {
    let length = 0;
    let others = 0;
    const count = async (octets: Buffer) => {
      length += octets.length;
      if (!octets.equals(Buffer.alloc(octets.length, name[0]))) others++;
      await pause?.();
    };
    try {
      const answer = await client.response(typeof body === 'number' ? count : undefined);
      const got = typeof body === 'number' ? length : answer.body.toString();
      if (answer.status !== 200 || got !== body || others > 0) this.wrong.push(`${name}: ${answer.status} ${got}`);
      this.completed.add(name);
      if (answer.close) this.closing++;
      return !answer.close;
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      this.lost.push({ name, began: error.began, cause: error.message });
      return false;
    }
  }

  [Symbol.dispose](): void {
    this.over = true;
    for (const { socket } of this.#open) socket.destroy();
  }
}

/** One request after the other on a connection that is kept for as long as the server keeps it. */
export async function keepAsking(load: Load): Promise<void> {
  while (!load.over) {
    using client = await load.open();
    if (!client) return;
    for (let kept = true; kept && !load.over; ) {
      const name = load.name('kept');
      client.send(requestOf(`/echo/${name}`));
      kept = await load.take(client, name, name);
    }
  }
}

/** Five requests at a time. Those behind a response that closes the connection are nobody's loss: a client asks again. */
export async function pipeline(load: Load): Promise<void> {
  while (!load.over) {
    using client = await load.open();
    if (!client) return;
    for (let kept = true; kept && !load.over; ) {
      const names = Array.from({ length: 5 }, () => load.name('pipelined'));
      client.send(names.map((name) => requestOf(`/echo/${name}`)).join(''));
      for (const name of names) {
        kept &&= await load.take(client, name, name);
        if (!kept) break;
      }
    }
  }
}
