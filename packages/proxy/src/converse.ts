// What becomes of a request: the proxy answers by itself where its head or a rule says so, else an exchange with the
// application begins, in the protocol that it speaks.

import { type Answer, answerOf, redirectTo } from './answer.ts';
import { Exchange } from './exchange.ts';
import { certificateRefusal, type Refusal, refusals } from './http/refusal.ts';
import type { RequestHead } from './http/request-head.ts';
import { H2cExchange } from './http2/exchange.ts';
import { H2cPool } from './http2/upstream.ts';
import type { Conversation, Peer } from './peer.ts';
import type { Pool } from './pool.ts';
import { redirectLocation } from './routes/rewrite.ts';
import { isRefusal, otherwise } from './routes/router.ts';
import type { Rule } from './routes/rule.ts';
import type { Traffic } from './traffic.ts';

/** What the proxy answers by itself. */
export type OwnAnswer = { readonly answer: Answer; readonly reason?: string };

/** A request as it was taken on. */
export type Taken<P extends Pool = Pool> = {
  readonly head: RequestHead;
  readonly buffer: Buffer;
  readonly rule: Rule;
  readonly pool: P;
  /** What the proxy answers by itself. */
  readonly own: OwnAnswer | undefined;
};

/** Takes a request on whose whole head is in `buffer`. */
export function converse(peer: Peer, traffic: Traffic, head: RequestHead, buffer: Buffer): Conversation {
  const { httpsPort, refusal } = peer.identity;
  if (refusal !== undefined) return begin(otherwise, refused(certificateRefusal(refusal)));
  // Without a host there is no place to name.
  if (httpsPort !== undefined && head.hostEnd === 0) return begin(otherwise, refused(refusals.host));
  if (httpsPort !== undefined) return begin(otherwise, { answer: redirectTo(308, httpsOf(buffer, head, httpsPort)) });
  const { router } = traffic;
  const found = router.find(buffer, head);
  if (isRefusal(found)) return begin(otherwise, refused(found));
  const own = ownAnswer(found, head, buffer);
  // Not before: a redirect is about what the client asked for.
  if (router.target !== undefined) head.rewritten = router.target;
  return begin(found, own);

  function begin(rule: Rule, own: OwnAnswer | undefined): Conversation {
    const pool = traffic.pools.of(rule);
    if (pool instanceof H2cPool) return new H2cExchange(peer, traffic, { head, buffer, rule, pool, own });
    return new Exchange(peer, traffic, { head, buffer, rule, pool, own });
  }
}

const refused = ({ status, reason, detail }: Refusal): OwnAnswer => ({
  answer: answerOf({ status, code: 'PROXY_REQUEST_REFUSED', detail, reason }),
  reason,
});

function ownAnswer({ deny, redirect }: Rule, head: RequestHead, buffer: Buffer): OwnAnswer | undefined {
  if (deny !== undefined) return refused({ status: deny, reason: 'denied', detail: 'A rule denies this request' });
  return redirect && { answer: redirectTo(redirect.status, redirectLocation(redirect, head, buffer)) };
}

/** The same place over https. */
function httpsOf(buffer: Buffer, { hostStart, hostEnd, targetStart, targetEnd, rewritten }: RequestHead, port: number) {
  const host = buffer.toString('latin1', hostStart, hostEnd).replace(/:\d+$/, '');
  const target = rewritten ?? buffer.toString('latin1', targetStart, targetEnd);
  return `https://${host}${port === 443 ? '' : `:${port}`}${target.startsWith('/') ? target : '/'}`;
}
