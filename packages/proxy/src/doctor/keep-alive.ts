// Whether connections are kept for another request, for how long, and what comes on them unasked.

import { formatDuration, reasonOf } from '@outrigger/core';
import { type Finding, type Probe, quote, say } from './finding.ts';
import type { Line } from './line.ts';
import type { Response } from './response-reader.ts';
import type { Target } from './target.ts';

/** Until then what an answer brings about has come; connections that are kept for less are as good as not kept. */
const settled = 100;
// The proxy must let go well before the application does; and hardly any connection is wanted again after a minute.
const share = 0.6;
const mostIdle = 60_000;

export const keepAlive: Probe = {
  id: 'keep-alive',
  async find(target) {
    using line = await target.dial();
    const first = await line.send(target.request()).answer(target.waits());
    if (first.kind !== 'response') return [{ id: 'keep-alive', outcome: 'unknown', evidence: say(first) }];
    const extra = extraOctets(await line.unasked(settled));
    if (!first.keeps) return [extra, closesAfterEach(first)];
    if (line.endedAt !== undefined) return [extra, closesUnsaid];
    // What came unasked would be taken for the next answer.
    if (extra.outcome !== 'none') return [extra];
    const second = await line.send(target.request()).answer(target.waits());
    if (!target.isUsual(second)) return [extra, { ...closesUnsaid, evidence: `the second request got ${say(second)}` }];
    return [extra, kept, ...(await watchIdle(target, line, second as Response))];
  },
};

const kept: Finding = { id: 'keep-alive', outcome: 'kept', evidence: 'two requests on one connection' };

const closesAfterEach = ({ version, framing }: Response): Finding => ({
  id: 'keep-alive',
  outcome: 'closes',
  evidence:
    framing === 'until-close'
      ? 'the response ends with the connection'
      : version === '1.0'
        ? 'HTTP/1.0 without Connection: keep-alive'
        : 'it says Connection: close',
  advice: 'Each request costs a connection of its own',
});

const closesUnsaid: Finding = {
  id: 'keep-alive',
  outcome: 'closes-unsaid',
  evidence: 'it closed without Connection: close',
  advice: 'A request that is sent into such a close is lost: connections must not be used again',
  suggests: { upstreamIdleTimeout: 0 },
};

function extraOctets(octets: Buffer): Finding {
  const id = 'extra-octets';
  if (octets.length === 0) return { id, outcome: 'none', evidence: 'nothing comes after the response' };
  const response = octets.toString('latin1', 0, 5) === 'HTTP/';
  return {
    id,
    outcome: response ? 'second-response' : 'more-than-said',
    evidence: `${quote(octets)} after the response`,
    advice: 'Its Content-Length is wrong; the proxy closes such a connection and no client gets what is too much',
    suggests: { upstreamIdleTimeout: 0 },
  };
}

/** Waits for the end of a connection on which nothing happens, while another one is used. */
async function watchIdle(target: Target, line: Line, last: Response): Promise<Finding[]> {
  const since = line.spokeAt;
  const other = target.ask().then(
    (answer) => concurrency(target.isUsual(answer), say(answer)),
    (error) => concurrency(false, reasonOf(error)),
  );
  const octets = await line.unasked(target.options.patience);
  const { endedAt } = line;
  const end = octets.length > 0 ? line.spokeAt : endedAt;
  const findings = [idleTime(target, last, end === undefined ? undefined : end - since)];
  if (octets.length > 0) findings.push(saidOnIdle(octets));
  findings.push(await other);
  return findings;
}

function idleTime(target: Target, last: Response, after: number | undefined): Finding {
  const { patience } = target.options;
  const told = /^keep-alive:.*\btimeout=(\d{1,6})/im.exec(last.head)?.[1];
  const promised = told === undefined ? '' : `; it says Keep-Alive: timeout=${told}`;
  // A promise of 0 seconds is taken as nothing said.
  const limit = Math.min(after ?? patience, Number(told || 0) * 1000 || Number.POSITIVE_INFINITY);
  const suggests = { upstreamIdleTimeout: safeIdle(limit) };
  const evidence =
    after === undefined
      ? `still open after ${formatDuration(patience)}`
      : `closed after ${formatDuration(round(after))}`;
  return {
    id: 'idle-time',
    outcome: after === undefined ? 'open' : 'closes',
    evidence: `${evidence}${promised}`,
    suggests,
  };
}

/** Two digits are enough to be told. */
function round(milliseconds: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, milliseconds))) - 1);
  return Math.floor(milliseconds / unit) * unit;
}

const safeIdle = (limit: number) => (limit < settled ? 0 : round(Math.min(limit * share, mostIdle)));

const saidOnIdle = (octets: Buffer): Finding => ({
  id: 'idle-octets',
  outcome: 'sent',
  evidence: `${quote(octets)} on the idle connection`,
  advice: 'The proxy lets go of the connection before that, and would give it to no client',
});

const concurrency = (served: boolean, said: string): Finding =>
  served
    ? { id: 'second-connection', outcome: 'served', evidence: `${said} while the first was idle` }
    : {
        id: 'second-connection',
        outcome: 'blocked',
        evidence: `${said} while the first was idle`,
        advice: 'It serves one connection at a time: an idle one holds up all others and must not be kept',
        suggests: { upstreamIdleTimeout: 0 },
      };
