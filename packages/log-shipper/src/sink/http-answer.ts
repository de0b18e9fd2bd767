// What a receiver answered to a request.

import type { IncomingHttpHeaders } from 'node:http';
import { parseRetryAfter } from '@outrigger/core';

/** Characters of an answer that are worth a line of the log. */
const excerpt = 200;

export class HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** False where it was longer than is read of any answer. */
  readonly whole: boolean;
  readonly #secrets: readonly string[];

  /** @param secrets what must not be repeated, should the receiver do so. */
  constructor(
    answer: { status: number; headers: IncomingHttpHeaders; body: Buffer; whole: boolean },
    secrets: readonly string[] = [],
  ) {
    this.status = answer.status;
    this.headers = answer.headers;
    this.body = answer.body;
    this.whole = answer.whole;
    this.#secrets = secrets;
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  /** Milliseconds that it asks to be left alone. */
  get retryAfter(): number | undefined {
    return parseRetryAfter(this.headers['retry-after']);
  }

  get isHtml(): boolean {
    return /^text\/html\b/i.test(this.headers['content-type'] ?? '');
  }

  /** The body as JSON; undefined where it is none, or not all of it was read. */
  json(): unknown {
    if (!this.whole) return undefined;
    try {
      return JSON.parse(this.body.toString());
    } catch {
      // Whoever asks says what that means.
      return undefined;
    }
  }

  /** The status and the beginning of what was said with it, on one line. */
  get said(): string {
    // Tags would leave no room for the words.
    let text = this.body.toString('utf8', 0, 16 * excerpt).replace(/<(style|script)\b.*?<\/\1>|<[^>]*>/gis, ' ');
    for (const secret of this.#secrets) text = text.replaceAll(secret, '[redacted]');
    text = text.replace(/[\s\p{C}]+/gu, ' ').trim();
    if (text.length > excerpt) text = `${text.slice(0, excerpt)}...`;
    return text === '' ? `status ${this.status}` : `status ${this.status}: ${text}`;
  }
}
