// Asks a sidecar how it is. Whatever listens there may refuse, hang, drip, close or talk nonsense: each is an answer.

import { Agent, type IncomingMessage, request } from 'node:http';
import { reasonOf } from '@outrigger/core';

export type Answer =
  /** Nothing listens. */
  | { readonly kind: 'absent'; readonly reason: string }
  /** Nothing was heard in time. */
  | { readonly kind: 'silent'; readonly reason: string }
  | {
      readonly kind: 'answered';
      /** Why it is not ready, undefined when it is. */
      readonly failing: string | undefined;
      readonly phase?: string | undefined;
      readonly version?: string | undefined;
    };

type Self = { readonly failing?: string; readonly phase?: string; readonly version?: string };
type Response = { readonly status: number; readonly body: string };

const bodyBytes = 64 * 1024;

// Long enough to be cheap, short enough that a version which changed in place is not shown wrong for long.
const selfAge = 60_000;

/** Asks one sidecar, again and again. */
export class Asker {
  readonly #base: URL;
  /** What it said of itself, and the checks it listed then: while those are the same, it need not be asked again. */
  #self: (Self & { readonly checks: string; readonly at: number }) | undefined;

  constructor(base: URL) {
    this.#base = base;
  }

  /** @param timeout milliseconds for both questions together */
  async ask(timeout: number, signal: AbortSignal): Promise<Answer> {
    const call = new Call();
    const timer = setTimeout(() => call.end({ late: true }), timeout);
    const hangUp = () => call.end();
    signal.addEventListener('abort', hangUp);
    try {
      const ready = await call.get(under(this.#base, 'readyz?verbose'));
      const { failing, phase, version } = await this.#describe(ready.body, call);
      return { kind: 'answered', failing: failureOf(ready) ?? failing, phase, version };
    } catch (error) {
      this.#self = undefined;
      if (call.late) return { kind: 'silent', reason: `no answer within ${timeout} ms` };
      return unanswered(error as NodeJS.ErrnoException);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', hangUp);
      call.end();
    }
  }

  async #describe(checks: string, call: Call): Promise<Self> {
    const at = performance.now();
    if (this.#self?.checks !== checks || at - this.#self.at > selfAge)
      this.#self = { ...describe(await call.get(under(this.#base, 'v1'))), checks, at };
    return this.#self;
  }
}

/**
 * One connection for both questions. It is closed after them: a kept one would be closed by the peer under our next
 * question. Ending it ends whatever is under way; an AbortSignal per request would cost more than the request.
 */
class Call {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #over = false;
  late = false;

  end({ late = false } = {}): void {
    this.#over = true;
    this.late ||= late;
    this.#agent.destroy();
  }

  get(url: URL): Promise<Response> {
    return new Promise((resolve, reject) => {
      if (this.#over) return reject(new Error('the call has ended'));
      const sent = request(url, { agent: this.#agent, headers: { accept: '*/*', 'user-agent': 'outrigger-monitor' } });
      sent.on('error', reject);
      sent.on('response', (response) => {
        readText(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
      });
      sent.end();
    });
  }
}

export const under = (base: URL, path: string) => new URL(path, base.href.endsWith('/') ? base : `${base.href}/`);

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    // Leaving the loop destroys the response: the rest is not fetched.
    if (length > bodyBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8', 0, bodyBytes);
}

function failureOf({ status, body }: Response): string | undefined {
  if (status === 200) return undefined;
  const failed = [...body.matchAll(/^\[-\](\S+) failed: (.*?)(?: since \S+)?$/gm)].map(
    ([, name, why]) => `${name}: ${why}`,
  );
  if (failed.length > 0) return printable(failed.join('; '));
  return status === 503 ? 'it answered 503' : `it answered /readyz with ${status}, which no sidecar does`;
}

function describe({ status, body }: Response): Self {
  try {
    const { phase, version } = JSON.parse(body) as Record<string, unknown>;
    if (status === 200 && typeof phase === 'string' && typeof version === 'string')
      return { phase: printable(phase, 32), version: printable(version, 64) };
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  return { failing: 'it does not answer /v1 as a sidecar does' };
}

function unanswered(error: NodeJS.ErrnoException): Answer {
  const { code = '' } = error;
  if (code === 'ECONNREFUSED') return { kind: 'absent', reason: 'connection refused' };
  if (code.startsWith('HPE_') || code === 'ECONNRESET' || code === 'EPIPE')
    return {
      kind: 'answered',
      failing: code.startsWith('HPE_') ? 'it does not speak HTTP' : 'it closed the connection without an answer',
    };
  return { kind: 'silent', reason: printable(reasonOf(error)) };
}

/** What a peer says ends up in logs, JSON and pages. */
const printable = (text: string, limit = 300) => text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, limit);
