// Splunk HTTP Event Collector, after its REST API reference: the codes are those of the table of possible errors there.

import { type Answer, type Asked, HttpReceiver, type ReceiverOptions, type Stored } from './http-receiver.ts';

const replies: Readonly<Record<number, readonly [status: number, text: string]>> = {
  0: [200, 'Success'],
  1: [403, 'Token disabled'],
  2: [401, 'Token is required'],
  3: [401, 'Invalid authorization'],
  4: [403, 'Invalid token'],
  5: [400, 'No data'],
  6: [400, 'Invalid data format'],
  7: [400, 'Incorrect index'],
  8: [500, 'Internal server error'],
  9: [503, 'Server is busy'],
  10: [400, 'Data channel is missing'],
  11: [400, 'Invalid data channel'],
  12: [400, 'Event field is required'],
  13: [400, 'Event field cannot be blank'],
  14: [400, 'ACK is disabled'],
  15: [400, 'Error in handling indexed fields'],
  16: [400, 'Query string authorization is not enabled'],
  17: [200, 'HEC is healthy'],
  18: [503, 'HEC is unhealthy, queues are full'],
  19: [503, 'HEC is unhealthy, ack service unavailable'],
  20: [503, 'HEC is unhealthy, queues are full, ack service unavailable'],
  21: [400, 'Invalid token'],
  22: [400, 'Token disabled'],
  23: [503, 'Server is shutting down'],
  24: [200, 'HEC queue is approaching capacity'],
  25: [200, 'HEC ack is approaching capacity'],
  26: [429, 'HEC queue is at capacity'],
  27: [429, 'HEC ack channel is at capacity'],
};

/** The reply of a code. */
export function hecReply(code: number, more: Readonly<Record<string, unknown>> = {}): Answer {
  const [status, text] = replies[code]!;
  return { status, body: { text, code, ...more } };
}

const guid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const known = ['time', 'host', 'source', 'sourcetype', 'index', 'event', 'fields'];

type Event = { readonly event: unknown } & Record<string, unknown>;

export class SplunkReceiver extends HttpReceiver {
  token = '11111111-2222-3333-4444-555555555555';
  disabled = false;
  /** The token asks for indexer acknowledgement. */
  useAck = false;
  /** What the token may write to; empty for any. */
  indexes: readonly string[] = [];
  /** Whether an acknowledgement is to be had for what was stored. */
  indexed: (ackId: number) => boolean = () => true;
  /** Channels that have sent, and the acknowledgements of each that were not yet asked for. */
  readonly channels = new Map<string, Set<number>>();
  acksAsked = 0;
  protected override readonly encodings = ['identity', 'gzip'];
  #nextAck = 0;

  static async listen(options: ReceiverOptions = {}): Promise<SplunkReceiver> {
    return new SplunkReceiver(options).listen(options);
  }

  lineOf({ record, meta }: Stored): string {
    if (meta.raw) return String(record);
    const { event } = record as Event;
    return typeof event === 'string' ? event : String((event as Record<string, unknown>).log);
  }

  protected override isPush(path: string): boolean {
    return !/\/(ack|health)(\/1\.0)?$/.test(path);
  }

  protected take(asked: Asked): Answer {
    const path = asked.path.replace(/\/1\.0$/, '').replace(/^\/services\/collector(?=\/|$)/, '');
    if (path === '/health') return hecReply(17);
    if (asked.query.has('token')) return hecReply(16);
    const { authorization } = asked.headers;
    if (!authorization) return hecReply(2);
    const [, token] = /^Splunk ([^ ]+)$/.exec(authorization) ?? [];
    if (!token) return hecReply(3);
    if (token !== this.token) return hecReply(4);
    if (this.disabled) return hecReply(1);
    if (asked.method !== 'POST') return { status: 405, body: { text: 'The requested URL was not found', code: 404 } };
    if (path === '/ack') return this.#ack(asked);
    if (path === '' || path === '/event') return this.#channel(asked) ?? this.#events(asked);
    if (path === '/raw') return this.#channel(asked) ?? this.#raw(asked);
    return { status: 404, body: { text: 'The requested URL was not found on this server.', code: 404 } };
  }

  #channelOf({ headers, query }: Asked): string | undefined {
    return (headers['x-splunk-request-channel'] as string | undefined) ?? query.get('channel') ?? undefined;
  }

  /** What is wrong with the channel. */
  #channel(asked: Asked): Answer | undefined {
    const channel = this.#channelOf(asked);
    if (channel === undefined) return this.useAck ? hecReply(10) : undefined;
    return guid.test(channel) ? undefined : hecReply(11);
  }

  #events(asked: Asked): Answer {
    const { body } = asked;
    if (body.toString().trim() === '') return hecReply(5);
    const events: Event[] = [];
    for (const [number, text] of concatenated(body.toString()).entries()) {
      const code = this.#wrong(text, events);
      // All of the request is refused; the number is that of the first one that is wrong.
      if (code) return hecReply(code, { 'invalid-event-number': number });
    }
    for (const event of events) this.store(event);
    return this.#success(asked);
  }

  /** The code of what is wrong with one event. */
  #wrong(text: string, events: Event[]): number {
    const event = parsed(text);
    if (typeof event !== 'object' || event === null || Array.isArray(event)) return 6;
    const { fields, index, time } = event as Event;
    if (Object.keys(event).some((key) => !known.includes(key))) return 6;
    if ((event as Event).event === undefined || (event as Event).event === null) return 12;
    if ((event as Event).event === '') return 13;
    if (time !== undefined && !/^\d+(\.\d{1,9})?$/.test(String(time))) return 6;
    if (fields !== undefined && !isFlat(fields)) return 15;
    if (index !== undefined && this.indexes.length > 0 && !this.indexes.includes(String(index))) return 7;
    if (this.poison(event)) return 6;
    events.push(event as Event);
    return 0;
  }

  #raw(asked: Asked): Answer {
    if (this.#channelOf(asked) === undefined) return hecReply(10);
    const lines = asked.body
      .toString()
      .split('\n')
      .filter((line) => line.trim() !== '');
    if (lines.length === 0) return hecReply(5);
    const index = asked.query.get('index');
    if (index !== null && this.indexes.length > 0 && !this.indexes.includes(index)) return hecReply(7);
    const meta = { raw: true, ...Object.fromEntries(asked.query) };
    for (const line of lines) this.store(line, meta);
    return this.#success(asked);
  }

  #success(asked: Asked): Answer {
    if (!this.useAck) return hecReply(0);
    const ackId = this.#nextAck++;
    const channel = this.#channelOf(asked)!;
    this.channels.set(channel, (this.channels.get(channel) ?? new Set()).add(ackId));
    return hecReply(0, { ackId });
  }

  #ack(asked: Asked): Answer {
    this.acksAsked++;
    if (!this.useAck) return hecReply(14);
    const channel = this.#channelOf(asked);
    if (channel === undefined) return hecReply(10);
    if (!guid.test(channel)) return hecReply(11);
    const { acks } = (parsed(asked.body.toString()) ?? {}) as { acks?: number[] };
    if (!Array.isArray(acks) || !acks.every(Number.isInteger)) return hecReply(6);
    const pending = this.channels.get(channel) ?? new Set();
    // Told once: an identifier that was answered with true is forgotten.
    const answer = acks.map((id) => [id, pending.has(id) && this.indexed(id) && pending.delete(id)] as const);
    return { status: 200, body: { acks: Object.fromEntries(answer) } };
  }
}

const isFlat = (fields: unknown): boolean =>
  typeof fields === 'object' &&
  fields !== null &&
  !Array.isArray(fields) &&
  Object.values(fields).every((value) => [value].flat().every((each) => typeof each !== 'object'));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** JSON objects one behind the other, with or without white space between them. The rest of a broken one is one piece. */
export function concatenated(text: string): string[] {
  const pieces: string[] = [];
  let start = -1;
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const each = text[at]!;
    if (quoted) {
      if (each === '\\') at++;
      else if (each === '"') quoted = false;
      continue;
    }
    if (start < 0 && !/\s/.test(each)) start = at;
    if (each === '"') quoted = true;
    else if (each === '{' || each === '[') depth++;
    else if ((each === '}' || each === ']') && --depth === 0) {
      pieces.push(text.slice(start, at + 1));
      start = -1;
    }
  }
  if (start >= 0) pieces.push(text.slice(start));
  return pieces;
}
