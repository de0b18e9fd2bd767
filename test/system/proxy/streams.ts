// Clients of HTTP/2 that heed GOAWAY: what is under way goes on, what comes next goes to another connection, and a request
// that the server says it has not looked at is asked again.

import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import type { Load } from './load.ts';

/** Five requests at a time on a session, until the load is over. */
export async function keepStreaming(load: Load, { port, ca }: { port: number; ca: string | undefined }): Promise<void> {
  while (!load.over) {
    const session = connect(`https://localhost:${port}`, { ca: ca ?? '', host: '127.0.0.1' });
    const stream = new Streams(session, load);
    try {
      await once(session, 'connect');
    } catch (error) {
      load.refused.push((error as NodeJS.ErrnoException).code ?? (error as Error).message);
      return;
    }
    await stream.work();
    session.close();
  }
}

class Streams {
  readonly #session: ClientHttp2Session;
  readonly #load: Load;
  #last = Number.POSITIVE_INFINITY;
  #going = false;

  constructor(session: ClientHttp2Session, load: Load) {
    this.#session = session
      .on('goaway', (_code: number, last: number) => {
        this.#going = true;
        this.#last = last;
        load.closing++;
      })
      .on('close', () => {
        this.#going = true;
      })
      .on('error', () => session.destroy());
    this.#load = load;
  }

  async work(): Promise<void> {
    while (!this.#load.over && !this.#going) await Promise.all([1, 2, 3, 4, 5].map(() => this.#ask()));
  }

  async #ask(): Promise<void> {
    // Since the others of the five were sent.
    if (this.#going) return;
    const { completed, wrong, lost, name: newName } = this.#load;
    const name = newName('stream');
    const stream = this.#session.request({ ':path': `/echo/${name}` });
    let status = 0;
    let body = '';
    let cause = 'it was closed';
    stream
      .setEncoding('utf8')
      .on('response', (headers) => {
        status = Number(headers[':status']);
      })
      .on('data', (text: string) => {
        body += text;
      })
      .on('error', (error: NodeJS.ErrnoException) => {
        cause = error.code ?? error.message;
      });
    await new Promise((resolve) => stream.once('close', resolve));
    if (stream.rstCode === 0 && status > 0 && body === name) completed.add(name);
    else if (stream.rstCode === 0 && status > 0 && stream.readableEnded) wrong.push(`${name}: ${status} ${body}`);
    // Not looked at, it says, and so anybody's to ask again.
    else if (stream.id !== undefined && stream.id <= this.#last) lost.push({ name, began: status > 0, cause });
  }
}
