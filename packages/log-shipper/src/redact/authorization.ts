// What the header Authorization holds, and credentials of the schemes Bearer and Basic wherever they stand.

import { anchor } from './prefilter.ts';
import type { KeyRule } from './secret.ts';
import { isNothing, type Span, separator, spanOf, valueAt, word } from './value.ts';

const header = new RegExp(`authorization${separator}`, 'gi');
const credentials = /(?<![A-Za-z0-9])(bearer|basic)[ \t]{1,8}([A-Za-z0-9._~+/-]{8,}={0,2})/gi;

export const authorization: KeyRule = {
  name: 'authorization',
  looks: { anchors: [anchor([], 'horizat'), anchor([], 'bearer', [' \t\\']), anchor(['?'], 'basic', [' \t\\'])] },
  names: (key) => /authorization$/i.test(key),
  find(text, report, budget) {
    header.lastIndex = 0;
    for (let found = header.exec(text); found; found = header.exec(text)) {
      budget.spend();
      const value = valueAt(text, header.lastIndex, behindScheme);
      if (!value || isNothing(text.slice(value.start, value.end))) continue;
      report(value.start, value.end);
      header.lastIndex = Math.max(header.lastIndex, value.end);
    }
    for (const { 0: all, 1: scheme = '', 2: value = '', index } of text.matchAll(credentials)) {
      budget.spend();
      const isOne = scheme.toLowerCase() === 'basic' ? isUserAndPassword(value) : isToken(value);
      if (isOne) report(index + all.length - value.length, index + all.length);
    }
  },
};

/** Schemes whose credentials are lists take the rest of the line. */
function behindScheme(text: string, start: number): Span | undefined {
  const list = spanOf(text, start, /(?:digest|hawk|oauth|signature|aws4-[\w-]{1,40})\s[^\r\n"'][^\r\n]*/iy);
  if (list) return list;
  const scheme = spanOf(
    text,
    start,
    /(?:basic|bearer|negotiate|ntlm|token|apikey|dpop|gnap|mutual|scram-[\w-]{1,40})\s{1,8}/iy,
  );
  return word(text, scheme?.end ?? start);
}

const isUserAndPassword = (value: string) =>
  value.length % 4 === 0 && /^[^\0-\x1f\ufffd]*:[^\0-\x1f\ufffd]*$/.test(Buffer.from(value, 'base64').toString('utf8'));

/** "Bearer authentication" is none. */
const isToken = (value: string) => value.length >= 20 || /[0-9]/.test(value);
