// Grafana Loki, POST /loki/api/v1/push, after its HTTP API reference and the request validation limits.

import { type Answer, type Asked, HttpReceiver, type ReceiverOptions, type Stored } from './http-receiver.ts';

type Entry = { readonly time: bigint; readonly line: string; readonly metadata: Readonly<Record<string, unknown>> };
type Stream = { readonly name: string; readonly entries: Entry[] };

const day = 86_400n * 1_000_000_000n;
const text = (status: number, body: string): Answer => ({ status, body: `${body}\n` });
const malformed = (reason: string) => text(400, `couldn't parse push request: ${reason}`);

export class LokiReceiver extends HttpReceiver {
  /** With multi-tenancy the header is asked for. */
  tenant: string | undefined;
  lineLimit = 256 * 1024;
  labelLimit = 15;
  metadataLimit = 64 * 1024;
  /** Nanoseconds: how old an entry may be, and how far ahead. */
  oldest = 7n * day;
  newest = 600_000_000_000n;
  /** Entries may be this much older than the newest one of their stream. */
  window = 3_600_000_000_000n;
  /** How many entries an answer names, as `max_returned_stream_errors` has it. */
  mostNamed = 10;
  readonly #newestOf = new Map<string, bigint>();
  /** Identical in stream, time and line: kept once. */
  readonly #known = new Set<string>();
  duplicates = 0;

  static async listen(options: ReceiverOptions = {}): Promise<LokiReceiver> {
    return new LokiReceiver(options).listen(options);
  }

  lineOf({ record }: Stored): string {
    return String(record);
  }

  protected take({ method, path, headers, body }: Asked): Answer {
    if (path !== '/loki/api/v1/push') return text(404, '404 page not found');
    if (method !== 'POST') return text(405, 'Method Not Allowed');
    if (this.tenant !== undefined && headers['x-scope-orgid'] === undefined) return text(401, 'no org id');
    if (this.tenant !== undefined && headers['x-scope-orgid'] !== this.tenant) return text(401, 'invalid org id');
    if (!/^application\/json(;|$)/.test(headers['content-type'] ?? ''))
      return malformed(`Content-Type ${headers['content-type']} is not supported`);
    let streams: Stream[];
    try {
      streams = streamsOf(body.toString());
    } catch (error) {
      return malformed((error as Error).message);
    }
    if (streams.every(({ entries }) => entries.length === 0))
      return text(422, 'error at least one valid stream is required for ingestion');
    const wrong = streams.flatMap((stream) => this.#push(stream));
    // What was right is stored already.
    return wrong.length > 0 ? text(400, wrong.join('\n')) : { status: 204 };
  }

  /** Stores what is valid, and says what is not. */
  #push({ name, entries }: Stream): string[] {
    const labels = name === '{}' ? 0 : name.split('", ').length;
    if (labels === 0) return ['error at least one label pair is required per stream'];
    if (labels > this.labelLimit)
      return [`entry for stream '${name}' has ${labels} label names; limit ${this.labelLimit}`];
    const refused: string[] = [];
    const behind: string[] = [];
    for (const entry of entries) {
      const wrong = this.#invalid(entry, name);
      if (wrong) {
        refused.push(wrong);
        continue;
      }
      const newest = this.#newestOf.get(name) ?? entry.time;
      if (entry.time < newest - this.window)
        behind.push(
          `entry with timestamp ${goTime(entry.time)} ignored, reason: 'entry too far behind, entry timestamp is: ${rfc(entry.time)}, oldest acceptable timestamp is: ${rfc(newest - this.window)}',`,
        );
      else this.#keep(name, entry);
    }
    if (behind.length > 0)
      behind.splice(
        this.mostNamed,
        behind.length,
        `user 'fake', total ignored: ${behind.length} out of ${entries.length} for stream: ${name}`,
      );
    return [...new Set(refused), ...behind];
  }

  #invalid({ time, line, metadata }: Entry, name: string): string | undefined {
    const now = BigInt(Date.now()) * 1_000_000n;
    if (time < now - this.oldest)
      return `entry for stream '${name}' has timestamp too old: ${rfc(time)}, oldest acceptable timestamp is: ${rfc(now - this.oldest)}`;
    if (time > now + this.newest) return `entry for stream '${name}' has timestamp too new: ${rfc(time)}`;
    const length = Buffer.byteLength(line);
    if (length > this.lineLimit)
      return `Max entry size '${this.lineLimit}' bytes exceeded for stream '${name}' while adding an entry with length '${length}' bytes`;
    const size = Object.entries(metadata).reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0);
    if (size > this.metadataLimit)
      return `stream '${name}' has structured metadata too large: '${size}' bytes, limit: '${this.metadataLimit}' bytes.`;
    return this.poison(line);
  }

  #keep(stream: string, { time, line, metadata }: Entry): void {
    if (time > (this.#newestOf.get(stream) ?? 0n)) this.#newestOf.set(stream, time);
    const known = `${stream}\n${time}\n${line}`;
    if (this.#known.has(known)) {
      this.duplicates++;
      return;
    }
    this.#known.add(known);
    this.store(line, { stream, time: String(time), ...metadata });
  }

  protected override tooLarge(bytes: number): Answer {
    return text(413, `request body too large: ${bytes} bytes, limit: ${this.limit} bytes`);
  }
}

const rfc = (time: bigint) => new Date(Number(time / 1_000_000n)).toISOString().replace('.000Z', 'Z');

/** As Go prints a time: no zeros at the end of the fraction. */
export function goTime(time: bigint): string {
  const seconds = new Date(Number(time / 1_000_000_000n) * 1000).toISOString().slice(0, 19).replace('T', ' ');
  const fraction = String(time % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${seconds}${fraction && `.${fraction}`} +0000 UTC`;
}

function streamsOf(body: string): Stream[] {
  const { streams } = JSON.parse(body) as { streams?: unknown };
  if (!Array.isArray(streams)) throw new Error('streams is to be an array');
  return streams.map(({ stream, values }: { stream: unknown; values: unknown }) => {
    if (typeof stream !== 'object' || stream === null) throw new Error('stream is to be an object of labels');
    const labels = Object.entries(stream).map(([name, value]) => {
      if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) throw new Error(`invalid label name ${name}`);
      if (typeof value !== 'string') throw new Error(`Value looks like object, but can't find closing '}' symbol`);
      return `${name}=${JSON.stringify(value)}`;
    });
    if (!Array.isArray(values)) throw new Error('values is to be an array');
    return { name: `{${labels.sort().join(', ')}}`, entries: values.map(entryOf) };
  });
}

function entryOf(value: unknown): Entry {
  if (!Array.isArray(value) || value.length < 2 || value.length > 3) throw new Error('an entry has two or three parts');
  const [time, line, metadata = {}] = value as unknown[];
  if (typeof time !== 'string' || !/^-?\d{1,19}$/.test(time)) throw new Error('a timestamp is nanoseconds as a string');
  if (typeof line !== 'string') throw new Error('a line is a string');
  if (typeof metadata !== 'object' || metadata === null) throw new Error('structured metadata is an object');
  if (!Object.values(metadata).every((each) => typeof each === 'string'))
    throw new Error('structured metadata has strings only');
  return { time: BigInt(time), line, metadata: metadata as Entry['metadata'] };
}
