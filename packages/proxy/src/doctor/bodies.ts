// What becomes of the bodies of requests: read, refused, or taken for the next request.

import { type Finding, type Probe, quote, say } from './finding.ts';
import type { Answer, Line } from './line.ts';
import type { Target } from './target.ts';

/** Until then what an answer brings about has come. */
const settled = 100;
const body = 'probe';

type Framing = { readonly name: string; readonly field: readonly [string, string]; readonly octets: string };

const framings: readonly Framing[] = [
  { name: 'length', field: ['Content-Length', String(body.length)], octets: body },
  { name: 'chunked', field: ['Transfer-Encoding', 'chunked'], octets: `${body.length}\r\n${body}\r\n0\r\n\r\n` },
];

/** GET with a body is rare but allowed, and does no harm. */
export const bodies: readonly Probe[] = framings.map((framing) => ({
  id: `get-${framing.name}`,
  find: (target) => probeBody(target, { id: `get-${framing.name}`, method: 'GET', path: undefined, framing }),
}));

/** Only where it was said that POST does no harm. */
export const posts: readonly Probe[] = framings.map((framing) => ({
  id: `post-${framing.name}`,
  find: (target) =>
    probeBody(target, { id: `post-${framing.name}`, method: 'POST', path: target.options.probePost, framing }),
}));

type Sent = {
  readonly id: string;
  readonly method: string;
  readonly path: string | undefined;
  readonly framing: Framing;
};

async function probeBody(target: Target, { id, method, path, framing }: Sent): Promise<Finding> {
  using line = await target.dial();
  const request = { method, fields: [framing.field], ...(path && { target: path }) };
  const answer = await line.send(target.request(request) + framing.octets).answer(target.waits(method));
  if (answer.kind !== 'response') return noAnswer(id, answer);
  const refused = method === 'GET' ? !target.isUsual(answer) : [400, 411, 501].includes(answer.status);
  if (refused) return { id, outcome: 'refused', evidence: say(answer), advice: refusedAdvice(method, framing) };
  const extra = await line.unasked(settled);
  if (extra.length > 0) return misread(id, `${quote(extra)} after the response`);
  if (!answer.keeps || line.endedAt !== undefined) return closed(id, answer, target, framing);
  return await probeReuse(target, line, id, say(answer));
}

/** An application that has not read the body takes it for the beginning of this request. */
async function probeReuse(target: Target, line: Line, id: string, first: string): Promise<Finding> {
  const next = await line.send(target.request()).answer(target.waits());
  if (target.isUsual(next)) return { id, outcome: 'read', evidence: `${first}, and the next request as usual` };
  if (next.kind === 'cut' && next.octets === 0)
    return { id, outcome: 'closes', evidence: `${first}, then ${say(next)}`, suggests: { upstreamIdleTimeout: 0 } };
  return misread(id, `the next request got ${say(next)}`);
}

function closed(id: string, answer: Answer, { usual }: Target, { name }: Framing): Finding {
  const found = { id, outcome: 'closes', evidence: `${say(answer)}, then a close: whether it was read cannot be seen` };
  return name === 'chunked' && usual?.version === '1.0'
    ? { ...found, advice: 'HTTP/1.0 knows no chunked bodies' }
    : found;
}

const noAnswer = (id: string, answer: Answer): Finding => ({
  id,
  outcome: 'unanswered',
  evidence: say(answer),
  advice: 'Clients that send such a body get 502 or 504; no parameter changes that',
});

const refusedAdvice = (method: string, { name }: Framing) =>
  name === 'chunked'
    ? 'It wants bodies with a Content-Length, which not all clients send; no parameter changes that'
    : `It takes no ${method} with a body`;

const misread = (id: string, evidence: string): Finding => ({
  id,
  outcome: 'misread',
  evidence,
  advice:
    'It takes a body for another request, which a client can make use of; have it fixed, and use no connection again meanwhile',
  suggests: { upstreamIdleTimeout: 0 },
});

/** The proxy answers Expect by itself and takes it out, so whatever this finds is fine. */
export const expectContinue: Probe = {
  id: 'expect',
  async find(target) {
    using line = await target.dial();
    const { probePost } = target.options;
    const fields = [
      ['Content-Length', String(body.length)],
      ['Expect', '100-continue'],
    ] as const;
    const request = probePost ? { method: 'POST', target: probePost, fields } : { fields };
    line.send(target.request(request));
    const first = await line.answer({ timeout: Math.min(target.options.timeout, 1000), interim: true });
    if (first.kind !== 'late') return expected(first, target);
    const second = await line.send(body).answer(target.waits());
    const outcome = second.kind === 'response' ? 'ignored' : 'unanswered';
    return { id: 'expect', outcome, evidence: `${say(first)}, ${say(second)} once the body was sent` };
  },
};

function expected(answer: Answer, target: Target): Finding {
  const id = 'expect';
  const continued = answer.kind === 'interim' || (answer.kind === 'response' && answer.interims.includes(100));
  if (continued) return { id, outcome: 'answered', evidence: '100 before the body' };
  if (answer.kind !== 'response') return { id, outcome: 'unanswered', evidence: say(answer) };
  const refused = answer.status === 417 || (!target.options.probePost && !target.isUsual(answer));
  return { id, outcome: refused ? 'refused' : 'final', evidence: `${say(answer)} without waiting for the body` };
}
