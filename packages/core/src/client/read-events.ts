// Server-sent events out of a stream of text, as the HTML standard defines them.

import type { SidecarEvent } from '../events.ts';
import { ClientError } from './problem-error.ts';

const eventBytes = 1024 * 1024;

/** Feed it the text as it comes. */
export class EventReader {
  #line = '';
  #type = '';
  #data: string[] = [];
  #length = 0;
  #afterReturn = false;
  #id: string | undefined;
  /** Of the last event that was complete, also when it had none of its own. */
  id: string | undefined;
  /** Milliseconds to wait before connecting again, if the sidecar said so. */
  retry: number | undefined;

  constructor(id?: string, retry?: number) {
    this.retry = retry;
    this.id = id;
    this.#id = id;
  }

  /** The events that are complete now. Throws a ClientError for one that is too long or is no JSON. */
  *feed(text: string): Generator<SidecarEvent> {
    // A line may end in CR LF, and the LF come later.
    const rest = this.#afterReturn && text.startsWith('\n') ? text.slice(1) : text;
    this.#afterReturn = text.endsWith('\r');
    const lines = (this.#line + rest).split(/\r\n|\n|\r/);
    this.#line = lines.pop()!;
    for (const line of lines) {
      const event = line === '' ? this.#dispatch() : this.#field(line);
      if (event) yield event;
    }
    if (this.#line.length + this.#length > eventBytes)
      throw new ClientError('BODY_TOO_LARGE', `an event is longer than ${eventBytes} bytes`);
  }

  #field(line: string): undefined {
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line)!;
    if (name === 'event') this.#type = value;
    if (name === 'id' && !value.includes('\0')) this.#id = value;
    if (name === 'retry' && /^\d+$/.test(value)) this.retry = Number(value);
    if (name !== 'data') return;
    this.#data.push(value);
    this.#length += value.length;
  }

  #dispatch(): SidecarEvent | undefined {
    const type = this.#type || 'message';
    const written = this.#data.join('\n');
    const empty = this.#data.length === 0;
    this.id = this.#id;
    this.#type = '';
    this.#data = [];
    this.#length = 0;
    if (empty) return undefined;
    const { time, ...data } = parse(written);
    return { id: this.id ?? '', type, time: String(time), data };
  }
}

function parse(written: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(written));
  } catch (error) {
    throw new ClientError('INVALID_JSON', 'the data of an event is no JSON', { cause: error });
  }
}
