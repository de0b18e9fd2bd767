// What an answer means where a vendor does not say otherwise.

import type { Batch } from '../batch.ts';
import type { HttpAnswer } from './http-answer.ts';
import { delivered, type Verdict } from './sink.ts';

/** A sink looks first for what is its own. */
export function usualVerdict(answer: HttpAnswer, batch: Pick<Batch, 'records'>): Verdict {
  const { status, said: reason } = answer;
  if (answer.ok) return strange(answer) ?? delivered;
  switch (status) {
    case 400:
    case 422:
      return poisoned(batch, reason);
    case 408:
    case 425:
    case 429:
      return retry(answer);
    case 413:
      return { became: 'split', reason };
    case 501:
    case 505:
      return { became: 'paused', reason };
  }
  if (status >= 500) return retry(answer);
  if (status >= 300 && status < 400)
    return { became: 'paused', reason: `${reason} (a redirection, which is not followed)` };
  // 401, 403, 404, 405, 415...: what is wrong is how we ask, not what we send.
  return { became: 'paused', reason };
}

export const retry = (answer: HttpAnswer, reason = answer.said): Verdict => ({
  became: 'retry',
  reason,
  after: answer.retryAfter,
});

/** Some record is why all were refused, nobody says which, and nothing was stored: halves are tried until it is alone. */
export const poisoned = ({ records }: Pick<Batch, 'records'>, reason: string): Verdict =>
  records > 1 ? { became: 'split', reason } : { became: 'dead', reason };

/** An answer that says all is well, and that no such receiver gives: from a login page or a proxy. To be tried again. */
export function strange(answer: HttpAnswer): Verdict | undefined {
  if (answer.isHtml) return retry(answer, `an HTML page came for an answer, ${answer.said}`);
  return answer.whole ? undefined : retry(answer, `an answer without end came, ${answer.said}`);
}
