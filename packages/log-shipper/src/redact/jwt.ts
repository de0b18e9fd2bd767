// JSON Web Tokens, signed (three parts) or encrypted (five): what tells them from other words with dots is a first part
// that is a JSON object with "alg".

import type { Anchor } from './prefilter.ts';
import { anchor } from './prefilter.ts';
import type { Budget, Rule } from './rule.ts';

const isPart = (code: number) =>
  (code >= 0x30 && code <= 0x39) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a) || code === 0x2d || code === 0x5f;
const dot = 0x2e;

/** Longer headers carry certificates; those of more than this are not looked at to their end. */
const longestHeader = 16 << 10;

// `"alg":` in base64, by where it begins in a group of three bytes.
const anchors: readonly Anchor[] = [anchor([], 'imfszyi'), anchor([], 'jhbgci', ['oi']), anchor([], 'iywxni', ['ji'])];

export const jwt: Rule = {
  name: 'jwt',
  looks: { anchors },
  find(text, report, budget) {
    // A header begins with `{`: `{"`, or with white space behind the brace.
    const start = /e[yw][A-Za-z0-9_-]{2}/g;
    let end = -1;
    for (let found = start.exec(text); found; found = start.exec(text)) {
      budget.spend();
      const { index } = found;
      if (index >= end) end = endOfPart(text, index);
      if (text.charCodeAt(end) !== dot || !hasAlgorithm(text.slice(index, end))) {
        start.lastIndex = index + 1;
        continue;
      }
      const last = endOfToken(text, end, budget);
      if (last === undefined) continue;
      report(index, last);
      start.lastIndex = last;
      end = -1;
    }
  },
};

function endOfPart(text: string, at: number): number {
  let end = at;
  while (end < text.length && isPart(text.charCodeAt(end))) end++;
  return end;
}

/** Behind the last part. The second is never empty, the last is where nothing is signed. */
function endOfToken(text: string, dotAt: number, budget: Budget): number | undefined {
  let end = dotAt;
  let parts = 1;
  for (; parts < 5 && text.charCodeAt(end) === dot; parts++) {
    budget.spend();
    end = endOfPart(text, end + 1);
  }
  return parts >= 3 && end > dotAt + 2 ? end : undefined;
}

function hasAlgorithm(part: string): boolean {
  const header = Buffer.from(part.slice(0, longestHeader), 'base64url').toString('utf8');
  if (!header.startsWith('{')) return false;
  if (part.length > longestHeader) return header.includes('"alg"');
  try {
    const value: unknown = JSON.parse(header);
    return typeof value === 'object' && value !== null && 'alg' in value;
  } catch {
    // No header, then.
    return false;
  }
}
