// An endpoint of one's own that takes NDJSON, a JSON array or lines.

import { type Answer, type Asked, HttpReceiver, type ReceiverOptions, type Stored } from './http-receiver.ts';

export class PlainHttpReceiver extends HttpReceiver {
  authorization: string | undefined;

  static async listen(options: ReceiverOptions = {}): Promise<PlainHttpReceiver> {
    return new PlainHttpReceiver(options, '/logs').listen(options);
  }

  lineOf({ record }: Stored): string {
    return typeof record === 'string' ? record : String((record as Record<string, unknown>).log);
  }

  protected take({ path, headers, body }: Asked): Answer {
    if (path !== '/logs') return { status: 404, body: 'not found' };
    if (this.authorization !== undefined && headers.authorization !== this.authorization)
      return { status: 401, body: 'who are you' };
    let records: unknown[];
    try {
      records = recordsOf(headers['content-type'] ?? '', body.toString());
    } catch (error) {
      return { status: 400, body: (error as Error).message };
    }
    const reason = records.map((record) => this.poison(record)).find((each) => each !== undefined);
    if (reason) return { status: 400, body: reason };
    for (const record of records) this.store(record, { headers });
    return { status: 200, body: 'ok' };
  }
}

function recordsOf(type: string, body: string): unknown[] {
  if (type === 'application/json') {
    const records = JSON.parse(body) as unknown;
    if (!Array.isArray(records)) throw new Error('an array is expected');
    return records;
  }
  if (!body.endsWith('\n')) throw new Error('the last line has no end');
  const lines = body.slice(0, -1).split('\n');
  if (type === 'application/x-ndjson') return lines.map((line) => JSON.parse(line) as unknown);
  if (type === 'text/plain; charset=utf-8') return lines;
  throw new Error(`Content-Type ${type} is not understood`);
}
