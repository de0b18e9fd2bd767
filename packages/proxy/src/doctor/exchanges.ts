// How requests and responses follow each other, and how connections end.

import { type Finding, type Probe, quote, say } from './finding.ts';
import type { Target } from './target.ts';

/** Until then what an answer brings about has come. */
const settled = 100;
const soon = 1000;

export const headMethod: Probe = {
  id: 'head',
  async find(target) {
    const id = 'head';
    using line = await target.dial();
    const answer = await line.send(target.request({ method: 'HEAD' })).answer(target.waits('HEAD'));
    if (answer.kind !== 'response')
      return { id, outcome: 'unanswered', evidence: say(answer), advice: 'Clients that ask with HEAD get 502 or 504' };
    const extra = await line.unasked(settled);
    if (extra.length === 0) return { id, outcome: 'without-body', evidence: say(answer) };
    return {
      id,
      outcome: 'with-body',
      evidence: `${say(answer)}, then ${quote(extra)}`,
      advice: 'A response to HEAD has no body; the proxy drops it, and the connection with it',
    };
  },
};

/** The proxy waits for each response before it sends the next request. */
export const pipelining: Probe = {
  id: 'pipelining',
  async find(target) {
    using line = await target.dial();
    line.send(target.request() + target.request());
    const first = await line.answer(target.waits());
    const found = (outcome: string, evidence: string): Finding => ({ id: 'pipelining', outcome, evidence });
    if (!target.isUsual(first)) return found('unanswered', `${say(first)} to two requests at once`);
    const second = await line.answer(target.waits());
    if (target.isUsual(second)) return found('answered', 'both of two requests at once');
    return found('first-only', `${say(first)}, then ${say(second)}`);
  },
};

export const halfClose: Probe = {
  id: 'half-close',
  async find(target) {
    using line = await target.dial();
    const answer = await line.send(target.request()).finish().answer(target.waits());
    if (target.isUsual(answer))
      return { id: 'half-close', outcome: 'answered', evidence: `${say(answer)} after the client's end` };
    return {
      id: 'half-close',
      outcome: 'dropped',
      evidence: `${say(answer)} after the client's end`,
      advice: 'In --mode tcp and in tunnels a client that ends its side first gets no answer; others are not concerned',
    };
  },
};

/** The proxy closes what it will not use again by itself. */
export const connectionClose: Probe = {
  id: 'connection-close',
  async find(target) {
    using line = await target.dial();
    const answer = await line.send(target.request({ fields: [['Connection', 'close']] })).answer(target.waits());
    const id = 'connection-close';
    if (!target.isUsual(answer)) return { id, outcome: 'unanswered', evidence: say(answer) };
    const patience = Math.min(soon, target.options.timeout);
    return (await line.ends(patience))
      ? { id, outcome: 'honoured', evidence: `${say(answer)}, then a close` }
      : { id, outcome: 'ignored', evidence: `${say(answer)}, and the connection stays open` };
  },
};

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
/** Length 0, type SETTINGS, no flags, stream 0. */
const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

export const http2: Probe = { id: 'h2c', find: probeHttp2 };

async function probeHttp2(target: Target): Promise<Finding> {
  using line = await target.dial();
  const octets = await line.send(Buffer.concat([preface, settings])).unasked(Math.min(soon, target.options.timeout));
  const isSettings = octets.length >= 9 && octets[3] === 4 && octets.readUInt32BE(5) === 0;
  if (!isSettings) {
    const evidence = octets.length > 0 ? quote(octets) : line.endedAt === undefined ? 'no answer' : 'a close';
    return { id: 'h2c', outcome: 'no', evidence: `${evidence} to the preface of HTTP/2` };
  }
  const found = { id: 'h2c', outcome: 'spoken', evidence: 'SETTINGS to the preface of HTTP/2' };
  const { h2c } = target;
  if (h2c === undefined) return { ...found, advice: 'HTTP/2 is spoken over TCP alone by the proxy' };
  if (target.usual) return { ...found, advice: `For gRPC say --upstream ${h2c}` };
  return { ...found, advice: 'It speaks HTTP/2 alone', suggests: { upstream: h2c } };
}
