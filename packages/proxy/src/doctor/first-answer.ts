// Whether the application speaks HTTP that the proxy accepts; all other probes compare with this answer.

import { performance } from 'node:perf_hooks';
import { type Finding, quote, say } from './finding.ts';
import type { Answer } from './line.ts';
import type { Response } from './response-reader.ts';
import type { Spelling, Target } from './target.ts';

const id = 'http';
const spellings: readonly Spelling[] = ['Title-Case', 'lower-case'];

/** Sets the target's `usual` when it may be asked more. */
export async function firstAnswer(target: Target): Promise<readonly Finding[]> {
  const begun = performance.now();
  const first = await target.ask();
  const took = Math.max(1, Math.round(performance.now() - begun));
  if (isTls(first)) return [speaksTls];
  const answer = await inAnySpelling(target, first);
  const old = isFine(answer) || isPlain(answer) ? undefined : await target.ask({ version: '1.0' });
  if (old && isFine(old)) return [onlyOld(answer, old)];
  if (answer.kind !== 'response') return [unusable(answer)];
  target.usual = answer;
  return [accepted(answer, took), framingOf(answer)];
}

const isFine = (answer: Answer) => answer.kind === 'response' && answer.status < 400;

/** An error that has nothing to do with how the request is written. */
const isPlain = (answer: Answer) => answer.kind === 'response' && answer.status !== 400 && answer.status !== 505;

/** A few applications know field names in one case only. */
async function inAnySpelling(target: Target, first: Answer): Promise<Answer> {
  if (isFine(first) || isPlain(first)) return first;
  for (const spelling of spellings.slice(1)) {
    const answer = await target.ask({ spelling });
    if (!isFine(answer)) continue;
    target.spelling = spelling;
    return answer;
  }
  return first;
}

/** A TLS alert, or a server that says in plain HTTP that it wants HTTPS. */
function isTls(answer: Answer): boolean {
  if (answer.kind === 'invalid') return answer.octets[0] === 0x15 && answer.octets[1] === 3;
  return answer.kind === 'response' && answer.status === 400 && /\bhttps\b/i.test(answer.text);
}

const speaksTls: Finding = {
  id,
  outcome: 'tls',
  evidence: 'it speaks TLS there',
  advice: 'Name its plain port, or let its own TLS pass through, without --tls-certificate-file',
  suggests: { mode: 'tcp' },
};

const onlyOld = (answer: Answer, old: Answer): Finding => ({
  id,
  outcome: 'http/1.0-only',
  evidence: `${say(old)} to HTTP/1.0, ${say(answer)} to HTTP/1.1`,
  advice: 'The proxy sends HTTP/1.1; only whole connections can be passed to it',
  suggests: { mode: 'tcp' },
});

const passed = 'whole connections can be passed to it as they are';

function unusable(answer: Exclude<Answer, { kind: 'response' }>): Finding {
  const found = { id, evidence: say(answer) };
  if (answer.kind === 'invalid') return invalid(answer);
  if (answer.kind === 'cut')
    return answer.begun
      ? {
          ...found,
          outcome: 'cut-short',
          advice: `Clients would get what it sent, cut off; ${passed}`,
          suggests: { mode: 'tcp' },
        }
      : { ...found, outcome: 'closed', advice: 'Does it speak another protocol, or TLS?' };
  if (answer.kind === 'late' && answer.octets > 0)
    return {
      ...found,
      outcome: 'endless',
      advice: 'Choose a --path with a short answer, or a longer --timeout, to have the rest probed',
    };
  return { ...found, outcome: 'silent', advice: 'Is it stuck, or does it speak another protocol?' };
}

function invalid(answer: Extract<Answer, { kind: 'invalid' }>): Finding {
  const isHttp = answer.begun || answer.octets.toString('latin1', 0, 5) === 'HTTP/';
  const suggests = { mode: 'tcp' } as const;
  return isHttp
    ? { id, outcome: 'malformed', evidence: say(answer), advice: `Clients would get 502; ${passed}`, suggests }
    : {
        id,
        outcome: 'other-protocol',
        evidence: `it says ${quote(answer.octets)}`,
        advice: `Not HTTP; ${passed}`,
        suggests,
      };
}

function accepted({ version, status }: Response, took: number): Finding {
  const found = { id, outcome: `http/${version}`, evidence: `${status} in ${took}ms` };
  if (status >= 400)
    return { ...found, advice: `What follows is judged by an answer of ${status}; a --path that it serves says more` };
  return version === '1.1'
    ? found
    : { ...found, advice: 'It may not know what came with HTTP/1.1: chunked bodies, connections that are kept' };
}

function framingOf({ framing }: Response): Finding {
  const found = { id: 'response-length', outcome: framing };
  switch (framing) {
    case 'length':
      return { ...found, evidence: 'Content-Length' };
    case 'chunked':
      return { ...found, evidence: 'Transfer-Encoding: chunked' };
    case 'none':
      return { ...found, evidence: 'this status has no body' };
    case 'until-close':
      return {
        ...found,
        evidence: 'the end of the connection',
        advice: 'A response that was cut off looks whole; have it send Content-Length',
      };
  }
}
