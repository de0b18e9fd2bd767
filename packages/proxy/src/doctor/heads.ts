// What heads of requests the application understands: the case of names, their size, targets, versions.

import { formatSize } from '@outrigger/core';
import { type Finding, type Probe, say } from './finding.ts';
import type { Answer } from './line.ts';
import type { Spelling, Target } from './target.ts';

const soon = 1000;

export const headerCase: Probe = {
  id: 'header-case',
  async find(target) {
    const id = 'header-case';
    if (target.spelling === 'lower-case')
      return {
        id,
        outcome: 'lower-case',
        evidence: 'only with names in lower case it answers well',
        advice: caseAdvice,
      };
    const titled = await closing(target, 'Title-Case');
    const lower = await closing(target, 'lower-case');
    if (!target.isUsual(lower.answer))
      return { id, outcome: 'Title-Case', evidence: `${say(lower.answer)} to "host:"`, advice: caseAdvice };
    if (titled.closed && !lower.closed)
      return { id, outcome: 'Title-Case', evidence: 'it does not see "connection: close"', advice: caseAdvice };
    return { id, outcome: 'any', evidence: '"host:" is as good as "Host:"' };
  },
};

const caseAdvice =
  'Names reach it as clients write them, and HTTP/2 has them in lower case; clients that write them otherwise than it wants are not understood';

async function closing(
  target: Target,
  spelling: Spelling,
): Promise<{ readonly answer: Answer; readonly closed: boolean }> {
  using line = await target.dial();
  line.send(target.request({ spelling, fields: [['Connection', 'close']] }));
  const answer = await line.answer(target.waits());
  return { answer, closed: await line.ends(Math.min(soon, target.options.timeout)) };
}

const kibibyte = 1024;
const sizes = [4, 8, 16, 32].map((count) => count * kibibyte);
/** What the proxy adds, and how differently applications count. */
const allowance = kibibyte;
const longestValue = 4000;

export const headSize: Probe = {
  id: 'head-size',
  async find(target) {
    const id = 'head-size';
    let accepted = 0;
    for (const size of sizes) {
      const answer = await target.ask({ fields: padding(target, size) });
      if (!target.isUsual(answer)) return tooLarge(accepted, size, say(answer));
      accepted = size;
    }
    return { id, outcome: formatSize(accepted), evidence: `a head of ${formatSize(accepted)} as usual` };
  },
};

/** Fields that make up a head of nearly `size` octets, none of them longer than is usual. */
function padding(target: Target, size: number): [string, string][] {
  const fields: [string, string][] = [];
  for (let left = size - allowance / 4 - target.request().length; left > 0; left -= longestValue) {
    const name = `X-Doctor-${fields.length}`;
    fields.push([name, 'x'.repeat(Math.max(1, Math.min(left, longestValue) - name.length - 4))]);
  }
  return fields;
}

function tooLarge(accepted: number, size: number, said: string): Finding {
  const found = { id: 'head-size', evidence: `${said} to a head of ${formatSize(size)}` };
  if (accepted === 0)
    return { ...found, outcome: `less than ${formatSize(size)}`, advice: 'Requests with cookies may fail' };
  const headLimit = accepted - allowance;
  const advice = 'The proxy can refuse what is too large for it, with a reason';
  return { ...found, outcome: formatSize(accepted), advice, suggests: { headLimit } };
}

/** The proxy puts every target into its usual form. */
export const absoluteForm: Probe = {
  id: 'absolute-form',
  async find(target) {
    const answer = await target.ask({ target: target.absolute });
    const outcome = target.isUsual(answer) ? 'understood' : 'refused';
    return { id: 'absolute-form', outcome, evidence: `${say(answer)} to GET ${target.absolute}` };
  },
};

/** The proxy sends HTTP/1.1 whatever clients speak. */
export const oldVersion: Probe = {
  id: 'http-1.0',
  async find(target) {
    const answer = await target.ask({ version: '1.0' });
    const chunked = answer.kind === 'response' && answer.framing === 'chunked' ? ', with a chunked body' : '';
    return {
      id: 'http-1.0',
      outcome: target.isUsual(answer) ? 'answered' : 'refused',
      evidence: `${say(answer)} to HTTP/1.0${chunked}`,
    };
  },
};
