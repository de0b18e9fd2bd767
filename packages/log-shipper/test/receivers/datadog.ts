// Datadog, POST /api/v2/logs, after "Send logs" of the API reference.

import { type Answer, type Asked, HttpReceiver, type ReceiverOptions, type Stored } from './http-receiver.ts';

const megabyte = 1_000_000;
const hour = 3_600_000;

type Entry = Readonly<Record<string, unknown>>;
const refused = (status: number, detail: string): Answer => ({
  status,
  body: { errors: [{ detail, status: String(status), title: 'Error' }] },
});

/** Attributes that are text there. */
const texts = ['ddsource', 'ddtags', 'hostname', 'service', 'status'];

export class DatadogReceiver extends HttpReceiver {
  key = '0123456789abcdef0123456789abcdef';
  /** Entries that were larger than a megabyte: kept, cut, and answered as if all were well. */
  truncated = 0;
  /** Entries that were too old, or too far ahead: answered as if all were well, and not kept. */
  outOfTime = 0;
  override limit = 5 * megabyte;

  static async listen(options: ReceiverOptions = {}): Promise<DatadogReceiver> {
    return new DatadogReceiver(options).listen(options);
  }

  lineOf({ record }: Stored): string {
    return String((record as Entry).message);
  }

  protected take({ method, path, headers, body }: Asked): Answer {
    if (path !== '/api/v2/logs') return { status: 404, body: '404 page not found' };
    if (method !== 'POST') return { status: 405, body: '' };
    const key = headers['dd-api-key'];
    if (!key) return refused(401, 'Missing API Key');
    if (key !== this.key) return refused(403, 'API Key is not valid');
    if (!(headers['content-type'] ?? '').startsWith('application/json'))
      return refused(400, 'Unsupported content type');
    let entries: unknown;
    try {
      entries = JSON.parse(body.toString());
    } catch {
      return refused(400, 'Invalid JSON');
    }
    const list = Array.isArray(entries) ? entries : [entries];
    if (list.length > 1000) return refused(413, 'Too many logs in the array, the limit is 1000');
    const wrong = list.map((entry) => this.#wrong(entry)).find((each) => each !== undefined);
    if (wrong) return refused(400, wrong);
    for (const entry of list as Entry[]) this.#keep(entry);
    return { status: 202, body: {} };
  }

  #wrong(entry: unknown): string | undefined {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return 'A log is to be an object';
    const { timestamp } = entry as Entry;
    const bad = texts.find(
      (name) => (entry as Entry)[name] !== undefined && typeof (entry as Entry)[name] !== 'string',
    );
    if (bad) return `${bad} is to be a string`;
    if (timestamp !== undefined && !(Number.isInteger(timestamp) || !Number.isNaN(Date.parse(String(timestamp)))))
      return 'timestamp is no time';
    return this.poison(entry);
  }

  #keep(entry: Entry): void {
    const time = entry.timestamp === undefined ? Date.now() : new Date(entry.timestamp as number | string).getTime();
    if (time < Date.now() - 18 * hour || time > Date.now() + 2 * hour) {
      this.outOfTime++;
      return;
    }
    const size = Buffer.byteLength(JSON.stringify(entry));
    const isLong = size > megabyte;
    if (isLong) this.truncated++;
    this.store(isLong ? { ...entry, message: String(entry.message).slice(0, megabyte) } : entry);
  }

  protected override tooLarge(bytes: number): Answer {
    return refused(413, `Payload too large: ${bytes} bytes`);
  }
}
