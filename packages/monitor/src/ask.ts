// Asks a sidecar how it is. Whatever listens there may refuse, hang, drip, close or talk nonsense: each is an answer.

import { reasonOf } from '@outrigger/core';
import { type Client, ClientError, openClient, type ProbeAnswer, ProblemError } from '@outrigger/core/client';

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
    const end = performance.now() + timeout;
    // One connection for both questions, closed after them: a kept one would be closed by the peer under our next question.
    using client = openClient(this.#base, { maxBody: bodyBytes, userAgent: 'outrigger-monitor' });
    const question = () => ({ timeout: end - performance.now(), signal });
    try {
      const ready = await client.probe('readyz', { verbose: true, ...question() });
      const { failing, phase, version } = await this.#describe(ready.text, () => describe(client, question()));
      return { kind: 'answered', failing: failureOf(ready) ?? failing, phase, version };
    } catch (error) {
      this.#self = undefined;
      return unanswered(error, timeout);
    }
  }

  async #describe(checks: string, ask: () => Promise<Self>): Promise<Self> {
    const at = performance.now();
    if (this.#self?.checks !== checks || at - this.#self.at > selfAge) this.#self = { ...(await ask()), checks, at };
    return this.#self;
  }
}

function failureOf({ ok, status, checks }: ProbeAnswer): string | undefined {
  if (ok) return undefined;
  const failed = checks.filter((check) => !check.ok).map(({ name, reason }) => `${name}: ${reason}`);
  if (failed.length > 0) return printable(failed.join('; '));
  return status === 503 ? 'it answered 503' : `it answered /readyz with ${status}, which no sidecar does`;
}

async function describe(client: Client, options: { timeout: number; signal: AbortSignal }): Promise<Self> {
  try {
    // Whoever listens there need not keep to the description.
    const { phase, version } = Object(await client.request('GET /v1', options)) as Record<string, unknown>;
    if (typeof phase === 'string' && typeof version === 'string')
      return { phase: printable(phase, 32), version: printable(version, 64) };
  } catch (error) {
    if (!(error instanceof ProblemError || codeOf(error) === 'INVALID_JSON')) throw error;
  }
  return { failing: 'it does not answer /v1 as a sidecar does' };
}

const codeOf = (error: unknown) => (error instanceof ClientError ? error.code : '');

function unanswered(error: unknown, timeout: number): Answer {
  const code = codeOf(error);
  if (code === 'ECONNREFUSED') return { kind: 'absent', reason: 'connection refused' };
  if (code === 'TIMEOUT') return { kind: 'silent', reason: `no answer within ${timeout} ms` };
  const failing = code.startsWith('HPE_') ? 'it does not speak HTTP' : failures[code];
  return failing ? { kind: 'answered', failing } : { kind: 'silent', reason: printable(reasonOf(error)) };
}

const failures: Readonly<Record<string, string>> = {
  ECONNRESET: 'it closed the connection without an answer',
  EPIPE: 'it closed the connection without an answer',
  BODY_TOO_LARGE: 'it talks without end',
};

/** What a peer says ends up in logs, JSON and pages. */
const printable = (text: string, limit = 300) => text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, limit);
